-- The manager's state and its event log. Times are Unix seconds, exactly as the records hash them; digests are BLAKE3.
-- JSON documents are text: they are given back byte for byte. Nothing is ever deleted but turns that are long over.

-- Which turns of the loop are in: a batch that is committed twice changes nothing.
create table turns (
    turn text collate "C" primary key,
    number bigint generated always as identity
);
create index turns_number on turns (number);

-- The event log: dense offsets, each record holds the hash of its predecessor.
create table records (
    topic text collate "C" not null,
    part integer not null,
    "offset" bigint not null,
    at double precision not null,
    kind text not null,
    key text not null,
    payload text not null,
    previous bytea not null,
    hash bytea not null,
    primary key (topic, part, "offset")
);

-- Where each partition of the log ends: two writers cannot both move it, so the log cannot fork.
create table heads (
    topic text collate "C" not null,
    part integer not null,
    "end" bigint not null,
    hash bytea not null,
    primary key (topic, part)
);

-- How far each consumer group has come.
create table group_offsets (
    group_name text collate "C" not null,
    topic text collate "C" not null,
    part integer not null,
    "offset" bigint not null,
    primary key (group_name, topic, part)
);

create table requests (
    id text collate "C" primary key,
    kind text not null,
    state text not null,
    has_ended boolean not null,
    user_name text not null,
    bundle text collate "C" not null,
    ask text not null,
    client_key text collate "C" not null,
    cause text collate "C" not null,
    reason text not null,
    reason_code text not null,
    created_at double precision not null,
    finished_at double precision not null,
    total integer not null,
    finished integer not null,
    failed integer not null
) with (fillfactor = 80);
-- By digest: a key may be longer than an index entry can be.
create unique index requests_client_key on requests (md5(client_key)) where client_key <> '';
create index requests_newest on requests (created_at, id);
create index requests_bundle on requests (bundle, created_at) where bundle <> '';
create index requests_cause on requests (cause) where cause <> '';
create index requests_live on requests (id) where not has_ended;

create table children (
    request_id text collate "C" not null,
    position integer not null,
    bundle text collate "C" not null,
    parameters text not null,
    state text not null,
    reused boolean not null,
    service_id text not null,
    error text not null,
    tail text not null,
    primary key (request_id, position)
);

create table tasks (
    id text collate "C" primary key,
    name text not null,
    kind text not null,
    source text not null,
    source_digest bytea not null,
    filename text not null,
    bundle text not null,
    wall_s double precision not null,
    cpu_s double precision not null,
    memory_bytes bigint not null,
    created_at double precision not null,
    wire text not null,
    state integer not null,
    proplet_id text not null,
    results text not null,
    error text not null,
    started_at double precision not null,
    finished_at double precision not null,
    updated_at double precision not null,
    run_id text not null,
    is_hidden boolean not null
);
create index tasks_shown on tasks (created_at, id) where not is_hidden;

create table runs (
    id text collate "C" primary key,
    request_id text collate "C" not null,
    position integer not null,
    task_id text collate "C" not null,
    task_name text not null,
    bundle text not null,
    version integer not null,
    parameters text not null,
    created_at double precision not null,
    state text not null,
    has_ended boolean not null,
    epoch integer not null,
    attempts integer not null,
    worker_id text not null,
    results text not null,
    error text not null,
    error_code text not null,
    started_at double precision not null,
    finished_at double precision not null
) with (fillfactor = 70);
create index runs_request on runs (request_id, position);
create index runs_live on runs (created_at, request_id, position) where not has_ended;

create table outputs (
    run_id text collate "C" not null,
    position integer not null,
    path text not null,
    kind text not null,
    title text not null,
    size_bytes bigint not null,
    digest bytea not null,
    bundle text collate "C" not null,
    request_id text collate "C" not null,
    task_name text not null,
    created_at double precision not null,
    primary key (run_id, position)
);
create index outputs_newest on outputs (created_at, run_id, position);
create index outputs_bundle on outputs (bundle, created_at);
create index outputs_request on outputs (request_id);

-- The tree: each bundle's newest version, and whether it is hidden.
create table bundles (
    path text collate "C" primary key,
    newest integer not null,
    archived boolean not null
);

create table versions (
    id bigint generated always as identity primary key,
    path text collate "C" not null,
    version integer not null,
    digest bytea not null,
    files integer not null,
    size_bytes bigint not null,
    created_at double precision not null,
    request_id text not null,
    package text not null,
    parameters text not null,
    run_key bytea not null,
    ok boolean not null,
    unique (path, version)
);
create index versions_run_key on versions (run_key) where ok and run_key <> '';

create table files (
    version_id bigint not null,
    path text collate "C" not null,
    size_bytes bigint not null,
    digest bytea not null,
    mode bigint not null,
    primary key (version_id, path)
);

create table workers (
    id text collate "C" primary key,
    name text not null,
    state text not null,
    is_ours boolean not null,
    incarnation text not null,
    slots bigint not null,
    beat_s double precision not null,
    pid bigint not null,
    host text not null,
    last_seen_at double precision not null,
    history double precision[] not null,
    metadata text not null
);

-- Lists of files that service runs need; the many runs of one redo share one list.
create table file_lists (
    digest bytea primary key,
    entries text not null
);

create table services (
    id text collate "C" primary key,
    request_id text collate "C" not null,
    bundle text not null,
    version integer not null,
    child text not null,
    service text not null,
    parameters text not null,
    code_digest bytea not null,
    run_key bytea not null,
    files bytea not null,
    user_name text not null,
    state text not null,
    has_ended boolean not null,
    pid bigint not null,
    started_at double precision not null,
    finished_at double precision not null,
    exit_status integer not null,
    error text not null,
    tail text not null,
    status_child text not null,
    delivery_id text not null
);
create index services_live on services (id) where not has_ended;

create table deliveries (
    id text collate "C" primary key,
    request_id text not null,
    bundle text not null,
    version integer not null,
    is_new boolean not null,
    installed_at double precision not null
);

-- The journal begins here; its first record's predecessor is 32 zero bytes.
insert into heads (topic, part, "end", hash) values ('journal', 0, 0, decode(repeat('00', 32), 'hex'));
