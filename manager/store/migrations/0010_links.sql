-- What was asked about links. Nothing is changed or removed: the newest row about an operation of two bundles holds.
create table links (
    number bigint generated always as identity primary key,
    request_id text collate "C" not null,
    src text collate "C" not null,
    dst text collate "C" not null,
    operation text collate "C" not null,
    out_head text not null,
    mode text not null,
    forward text not null,
    backward text not null,
    is_forced boolean not null,
    is_unlinked boolean not null,
    user_name text not null,
    created_at double precision not null
);
create index links_newest on links (src, dst, operation, number);
