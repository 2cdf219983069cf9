-- Deliveries that came into quarantine, with everything needed to take them in later; their content is in the blob store.
create table held (
    id text collate "C" primary key,
    request_id text not null,
    bundle text not null,
    user_name text not null,
    reason text not null,
    held_at double precision not null,
    manifest text not null,
    package text not null,
    metrics text not null,
    service_id text not null,
    files bytea not null
);
