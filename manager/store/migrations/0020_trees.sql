-- Linked trees of instances: what a tree is, which run is which of its instances, and the journal of its ledger, which gives
-- the same ledger again (scripts R1 to R12). `tasks` is a JSON list of definitions, in the order in which the ledger knows
-- them. Nothing of it changes once it is written.
create table trees (
    id text collate "C" primary key,
    request_id text collate "C" not null,
    bundle text not null,
    version integer not null,
    secret bytea not null,
    tasks text not null,
    created_at double precision not null
);
create index trees_request on trees (request_id);
create table leaves (
    tree text collate "C" not null,
    number integer not null,
    run_id text collate "C" not null,
    place double precision not null,
    primary key (tree, number)
);
create table tree_lines (
    tree text collate "C" not null,
    position bigint not null,
    entry bytea not null,
    primary key (tree, position)
);
