-- Every statement of PostgresStore, by name. Writes take columns as arrays: one statement a table and turn, however many
-- rows. Reads of pages give the total with every row, and one row with an empty id where the page is empty.

-- name: turn
-- Take the turn, move the head of the log and append its records, as parts of one statement that may go on with what the
-- turn writes: a turn that is not new, or whose head is not the log's, writes nothing at all. The update waits for whoever
-- moves the head just now, and then finds it moved.
fresh as (
    insert into turns (turn)
    select $1::text where exists (select from heads where topic = $2 and part = $3 and "end" = $4 and hash = $5)
    on conflict do nothing returning 1
), moved as (
    update heads set "end" = $6, hash = $7
    where topic = $2 and part = $3 and "end" = $4 and hash = $5 and exists (select from fresh)
    returning 1
), written as (
    insert into records (topic, part, "offset", at, kind, key, payload, previous, hash)
    select $2, $3, new.*
    from unnest($8::bigint[], $9::float8[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bytea[]) as new
    where exists (select from moved)
    returning 1
)

-- name: turn_result
select
    exists (select from moved) as is_moved,
    case when exists (select from written) then pg_notify('plotter2_records', $2) end as notified;

-- name: forget_turns
-- A turn can only come again while its commit is unsure: some thousands back, nobody asks any more.
delete from turns where number < (select max(number) from turns) - $1::bigint;

-- name: head
-- Where a partition ends.
select "end", hash from heads where topic = $1 and part = $2;

-- name: head_settled
-- The same, after whoever is moving it just now.
select "end", hash from heads where topic = $1 and part = $2 for update;

-- name: read_records
select topic, part, "offset", at, kind, key, payload, previous, hash
from records where topic = $1 and part = $2 and "offset" >= $3 order by "offset" limit $4;

-- name: put_group_offset
-- A consumer group never goes back.
insert into group_offsets (group_name, topic, part, "offset") values ($1, $2, $3, $4)
on conflict (group_name, topic, part) do update set "offset" = excluded."offset"
where group_offsets."offset" < excluded."offset";

-- name: group_offset
select "offset" from group_offsets where group_name = $1 and topic = $2 and part = $3;

-- name: put_requests
insert into requests (
    id, kind, state, has_ended, user_name, bundle, ask, client_key, cause, reason, reason_code,
    created_at, finished_at, total, finished, failed, chain, skipped, because, scope, pins
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::float8[], $13::float8[], $14::integer[], $15::integer[], $16::integer[], $17::text[],
    $18::text[], $19::text[], $20::text[], $21::bytea[]
)
on conflict (id) do update set
    state = excluded.state, has_ended = excluded.has_ended, bundle = excluded.bundle, ask = excluded.ask,
    reason = excluded.reason, reason_code = excluded.reason_code, finished_at = excluded.finished_at,
    total = excluded.total, finished = excluded.finished, failed = excluded.failed, skipped = excluded.skipped;

-- name: put_children
-- Only those that changed come here.
insert into children (request_id, position, bundle, parameters, state, reused, service_id, error, tail)
select * from unnest(
    $1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[]
)
on conflict (request_id, position) do update set
    bundle = excluded.bundle, parameters = excluded.parameters, state = excluded.state, reused = excluded.reused,
    service_id = excluded.service_id, error = excluded.error, tail = excluded.tail;

-- name: put_tasks
insert into tasks (
    id, name, kind, source, source_digest, filename, bundle, wall_s, cpu_s, memory_bytes, created_at, wire,
    state, proplet_id, results, error, started_at, finished_at, updated_at, run_id, is_hidden, version
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::float8[], $9::float8[],
    $10::bigint[], $11::float8[], $12::text[], $13::integer[], $14::text[], $15::text[], $16::text[], $17::float8[],
    $18::float8[], $19::float8[], $20::text[], $21::boolean[], $22::integer[]
)
on conflict (id) do update set
    name = excluded.name, kind = excluded.kind, source = excluded.source, source_digest = excluded.source_digest,
    filename = excluded.filename, bundle = excluded.bundle, wall_s = excluded.wall_s, cpu_s = excluded.cpu_s,
    memory_bytes = excluded.memory_bytes, created_at = excluded.created_at, wire = excluded.wire,
    state = excluded.state, proplet_id = excluded.proplet_id, results = excluded.results, error = excluded.error,
    started_at = excluded.started_at, finished_at = excluded.finished_at, updated_at = excluded.updated_at,
    run_id = excluded.run_id, is_hidden = excluded.is_hidden, version = excluded.version;

-- name: put_runs
-- What a run was asked to do never changes, but the keys that it is bound to come later; how far it is does too.
insert into runs (
    id, request_id, position, task_id, task_name, bundle, version, parameters, created_at,
    state, has_ended, epoch, attempts, worker_id, results, error, error_code, started_at, finished_at,
    memo_key, reused_of, config, said
)
select * from unnest(
    $1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::float8[],
    $10::text[], $11::boolean[], $12::integer[], $13::integer[], $14::text[], $15::text[], $16::text[], $17::text[],
    $18::float8[], $19::float8[], $20::bytea[], $21::text[], $22::bytea[], $23::integer[]
)
on conflict (id) do update set
    parameters = excluded.parameters, state = excluded.state, has_ended = excluded.has_ended, epoch = excluded.epoch,
    attempts = excluded.attempts,
    worker_id = excluded.worker_id, results = excluded.results, error = excluded.error,
    error_code = excluded.error_code, started_at = excluded.started_at, finished_at = excluded.finished_at,
    memo_key = excluded.memo_key, reused_of = excluded.reused_of, said = excluded.said;

-- name: stage_runs
-- Where many runs come in by COPY, which is faster than arrays from some hundreds of rows on.
create temporary table if not exists staged_runs (like runs) on commit delete rows;

-- name: put_staged_runs
insert into runs (
    id, request_id, position, task_id, task_name, bundle, version, parameters, created_at,
    state, has_ended, epoch, attempts, worker_id, results, error, error_code, started_at, finished_at,
    memo_key, reused_of, config, said
)
select
    id, request_id, position, task_id, task_name, bundle, version, parameters, created_at,
    state, has_ended, epoch, attempts, worker_id, results, error, error_code, started_at, finished_at,
    memo_key, reused_of, config, said
from staged_runs
on conflict (id) do update set
    parameters = excluded.parameters, state = excluded.state, has_ended = excluded.has_ended, epoch = excluded.epoch,
    attempts = excluded.attempts,
    worker_id = excluded.worker_id, results = excluded.results, error = excluded.error,
    error_code = excluded.error_code, started_at = excluded.started_at, finished_at = excluded.finished_at,
    memo_key = excluded.memo_key, reused_of = excluded.reused_of, said = excluded.said;

-- name: put_outputs
insert into outputs (
    run_id, position, path, kind, title, size_bytes, digest, bundle, request_id, task_name, created_at
)
select * from unnest(
    $1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[], $8::text[], $9::text[],
    $10::text[], $11::float8[]
)
on conflict (run_id, position) do update set
    path = excluded.path, kind = excluded.kind, title = excluded.title, size_bytes = excluded.size_bytes,
    digest = excluded.digest, created_at = excluded.created_at;

-- name: put_versions
-- A version is never changed: one that is there already is a conflict.
insert into versions (
    path, version, digest, files, size_bytes, created_at, request_id, package, parameters, run_key, ok,
    metrics, inherited
)
select * from unnest(
    $1::text[], $2::integer[], $3::bytea[], $4::integer[], $5::bigint[], $6::float8[], $7::text[], $8::text[],
    $9::text[], $10::bytea[], $11::boolean[], $12::text[], $13::bytea[]
)
returning id, path, version;

-- name: put_newest
insert into bundles (path, newest, archived, tags)
select distinct on (new.path) new.path, new.version, new.archived, new.tags
from unnest($1::text[], $2::integer[], $3::boolean[], $4::text[]) as new (path, version, archived, tags)
order by new.path, new.version desc
on conflict (path) do update set newest = excluded.newest, archived = excluded.archived, tags = excluded.tags
where bundles.newest < excluded.newest;

-- name: put_tags
update bundles set tags = new.tags
from unnest($1::text[], $2::text[]) as new (path, tags) where bundles.path = new.path;

-- name: put_archived
update bundles set archived = new.archived
from unnest($1::text[], $2::boolean[]) as new (path, archived) where bundles.path = new.path;

-- name: put_worker
insert into workers (
    id, name, state, is_ours, incarnation, slots, beat_s, pid, host, last_seen_at, history, metadata
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (id) do update set
    name = excluded.name, state = excluded.state, is_ours = excluded.is_ours, incarnation = excluded.incarnation,
    slots = excluded.slots, beat_s = excluded.beat_s, pid = excluded.pid, host = excluded.host,
    last_seen_at = excluded.last_seen_at, history = excluded.history, metadata = excluded.metadata;

-- name: put_pins
insert into pins (digest, places) select * from unnest($1::bytea[], $2::text[]) on conflict do nothing;

-- name: put_inheritance
insert into inheritances (digest, entries) values ($1, $2) on conflict do nothing;

-- name: put_file_list
insert into file_lists (digest, entries) values ($1, $2) on conflict do nothing;

-- name: put_services
-- What a service run was asked to do never changes, and is written once; `put_service_states` does the rest.
insert into services (
    id, request_id, bundle, version, child, service, parameters, code_digest, run_key, files, user_name, data_digest,
    state, has_ended, pid, started_at, finished_at, exit_status, error, tail, status_child, delivery_id
)
select new.*, '', false, 0, 0, 0, 0, '', '', '', ''
from unnest(
    $1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[],
    $10::bytea[], $11::text[], $12::bytea[]
) as new
on conflict (id) do nothing;

-- name: put_service_states
update services set
    state = new.state, has_ended = new.has_ended, pid = new.pid, started_at = new.started_at,
    finished_at = new.finished_at, exit_status = new.exit_status, error = new.error, tail = new.tail,
    status_child = new.status_child, delivery_id = new.delivery_id
from unnest(
    $1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::float8[], $6::float8[], $7::integer[], $8::text[],
    $9::text[], $10::text[], $11::text[]
) as new (
    id, state, has_ended, pid, started_at, finished_at, exit_status, error, tail, status_child, delivery_id
)
where services.id = new.id;

-- name: put_deliveries
insert into deliveries (id, request_id, bundle, version, is_new, installed_at, manifest)
select * from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::boolean[], $6::float8[], $7::text[])
on conflict (id) do update set
    request_id = excluded.request_id, bundle = excluded.bundle, version = excluded.version,
    is_new = excluded.is_new, installed_at = excluded.installed_at, manifest = excluded.manifest;

-- name: put_links
insert into links (
    request_id, src, dst, operation, out_head, mode, forward, backward, is_forced, is_unlinked, user_name, created_at
)
select
    request_id, src, dst, operation, out_head, mode, forward, backward, is_forced, is_unlinked, user_name, created_at
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[],
    $10::boolean[], $11::text[], $12::float8[]
) with ordinality as new (
    request_id, src, dst, operation, out_head, mode, forward, backward, is_forced, is_unlinked, user_name, created_at,
    place
) order by place;

-- name: newest_links
select distinct on (src, dst, operation) * from links order by src, dst, operation, number desc;

-- name: live_requests
select * from requests where not has_ended order by created_at, id;

-- name: live_calls
-- Streams of calls are written now and then while they are open: how far they are, their runs tell.
select
    requests.id, count(*)::integer as total, count(*) filter (where runs.has_ended)::integer as finished,
    count(*) filter (where runs.has_ended and runs.state not in ('done', 'gaveup'))::integer as failed
from requests join runs on runs.request_id = requests.id
where not requests.has_ended and requests.kind = 'call'
group by requests.id;

-- name: newest_switch
select * from requests
where (user_name like 'ai:%' or kind = 'planner') and kind = 'planner' and state = 'done'
order by created_at desc, id desc limit 1;

-- name: automatic_asks
-- When automatic users asked, newest first; not what was refused as too much, and not wishes, which ask for nothing.
select created_at from requests
where user_name like 'ai:%' and kind <> 'wish' and reason_code <> 'limit'
order by created_at desc limit $1;

-- name: live_children
select * from children
where request_id in (select id from requests where not has_ended) order by request_id, position;

-- name: live_runs
select * from runs where not has_ended order by created_at, request_id, position;

-- name: live_tasks
-- What a live run or its tree speaks of, and everything created over HTTP.
select * from tasks
where not is_hidden or id in (select task_id from runs where not has_ended) or id in (
    select json_array_elements_text(trees.tasks::json)
    from trees join requests on requests.id = trees.request_id where not requests.has_ended
) order by created_at, id;

-- name: newest_versions
select versions.*, bundles.archived, bundles.tags
from bundles join versions on versions.path = bundles.path and versions.version = bundles.newest
order by bundles.path;

-- name: newest_inheritances
select * from inheritances where digest in (
    select versions.inherited from bundles join versions
    on versions.path = bundles.path and versions.version = bundles.newest
);

-- name: workers
select * from workers order by id;

-- name: live_services
select * from services where not has_ended order by request_id, length(id), id;

-- name: live_file_lists
select * from file_lists where digest in (select files from services where not has_ended);

-- name: get_service
select services.*, file_lists.entries from services join file_lists on file_lists.digest = services.files
where services.id = $1;

-- name: find_maker
-- The service run whose output first became this version.
select services.*, file_lists.entries
from deliveries
join services on services.delivery_id = deliveries.id
join file_lists on file_lists.digest = services.files
where deliveries.bundle = $1 and deliveries.version = $2 and services.delivery_id <> ''
order by deliveries.is_new desc, deliveries.installed_at limit 1;

-- name: get_request
-- With what belongs to it in one statement, which sees one moment and is one round trip.
select requests.*, array(select children from children where request_id = id order by position) as children
from requests where id = $1;

-- name: find_request
select requests.*, array(select children from children where request_id = id order by position) as children
from requests where md5(client_key) = md5($1) and client_key = $1 and client_key <> '';

-- name: list_requests
with chosen as (
    select * from requests
    where ($3 = '' or bundle = $3 or (bundle >= $3 || '/' and bundle < $3 || '0')) and ($4 = '' or cause = $4)
)
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (select * from chosen order by created_at desc, id desc offset $1 limit $2) as page on true
order by page.created_at desc, page.id desc;

-- name: runs_of
-- A run that was not run has the outputs of the run that it was taken from.
select runs.*, array(
    select outputs from outputs
    where run_id = case runs.reused_of when '' then runs.id else runs.reused_of end order by position
) as outputs
from runs where request_id = $1 order by position;

-- name: get_run
select runs.*, array(
    select outputs from outputs
    where run_id = case runs.reused_of when '' then runs.id else runs.reused_of end order by position
) as outputs
from runs where id = $1;

-- name: find_memos
select distinct on (memo_key) * from runs
where memo_key = any($1::bytea[]) and memo_key <> '' and has_ended
order by memo_key, finished_at desc, id desc;

-- name: get_task
select * from tasks where id = $1;

-- name: list_tasks
with chosen as (select * from tasks where not is_hidden)
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (select * from chosen order by created_at desc, id desc offset $1 limit $2) as page on true
order by page.created_at desc, page.id desc;

-- name: list_bundles
with chosen as (
    select * from bundles
    where ($3 = '' or path = $3 or (path >= $3 || '/' and path < $3 || '0')) and (not archived or $4)
)
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (
    select versions.*, picked.archived, picked.tags
    from (select * from chosen order by path offset $1 limit $2) as picked
    join versions on versions.path = picked.path and versions.version = picked.newest
) as page on true
order by page.path;

-- name: list_versions
with chosen as (
    select versions.*, bundles.archived, bundles.tags from versions join bundles using (path) where path = $3
)
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (select * from chosen order by version desc offset $1 limit $2) as page on true
order by page.version desc;

-- name: get_version
-- 0: the newest.
select versions.*, bundles.archived, bundles.tags
from bundles join versions on versions.path = bundles.path
where bundles.path = $1 and versions.version = case when $2 = 0 then bundles.newest else $2 end;

-- name: files_of
select files.* from files join versions on versions.id = files.version_id
where versions.path = $1 and versions.version = $2 order by files.path;

-- name: files_after
select files.* from files join versions on versions.id = files.version_id
where versions.path = $1 and versions.version = $2 and files.path > $3 order by files.path limit $4;

-- name: newest_of
select versions.*, bundles.archived, bundles.tags
from bundles join versions on versions.path = bundles.path and versions.version = bundles.newest
where bundles.path = any($1::text[]);

-- name: versions_of
select versions.*, bundles.archived, bundles.tags
from unnest($1::text[], $2::integer[]) as wanted (path, version)
join versions on versions.path = wanted.path collate "C" and versions.version = wanted.version
join bundles on bundles.path = versions.path;

-- name: files_of_many
select wanted.path as bundle, wanted.version, files.path, files.size_bytes, files.digest, files.mode
from unnest($1::text[], $2::integer[]) as wanted (path, version)
join versions on versions.path = wanted.path collate "C" and versions.version = wanted.version
join files on files.version_id = versions.id
order by files.version_id, files.path;

-- name: digests_of
select wanted.bundle, wanted.version, files.path, files.digest
from unnest($1::text[], $2::integer[], $3::text[]) as wanted (bundle, version, path)
join versions on versions.path = wanted.bundle collate "C" and versions.version = wanted.version
join files on files.version_id = versions.id and files.path = wanted.path collate "C";

-- name: find_run_keys
select distinct on (run_key) versions.*, bundles.archived, bundles.tags from versions join bundles using (path)
where run_key = any($1::bytea[]) and ok and run_key <> ''
order by run_key, versions.created_at desc, versions.id desc;

-- name: get_delivery
select * from deliveries where id = $1;

-- name: get_delivery_of
select * from deliveries where request_id collate "C" = $1 order by id limit 1;

-- name: list_outputs
with chosen as (
    select * from outputs
    where ($3 = '' or bundle = $3) and ($5 = '' or kind = $5) and (
        $4 = '' or request_id = $4 or run_id in (select reused_of from runs where request_id = $4 and reused_of <> '')
    )
)
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (
    select * from chosen order by created_at desc, run_id desc, position desc offset $1 limit $2
) as page on true
order by page.created_at desc, page.run_id desc, page.position desc;

-- name: changed_files
-- Files that differ in content or permissions between two versions, by path, of those that sort after $5.
select
    coalesce(a.path, b.path) as path,
    a.size_bytes as before_size, a.digest as before_digest, a.mode as before_mode,
    b.size_bytes as after_size, b.digest as after_digest, b.mode as after_mode
from (
    select * from files where version_id = (select id from versions where path = $1 and version = $2) and path > $5
) as a
full join (
    select * from files where version_id = (select id from versions where path = $3 and version = $4) and path > $5
) as b on a.path = b.path
where a.path is null or b.path is null or a.digest <> b.digest or a.mode <> b.mode
order by 1 limit $6;

-- name: list_history
-- Requests about a bundle or what lies below it, oldest first, with what each push came to.
with chosen as (
    select * from requests where bundle = $3 or (bundle >= $3 || '/' and bundle < $3 || '0')
)
select counted.rows_in_all, page.*, made.version as made_version, made.is_new as made_new,
    made.id as made_by
from (select count(*) as rows_in_all from chosen) as counted
left join (select * from chosen order by created_at, id offset $1 limit $2) as page on true
left join lateral (
    select id, version, is_new from deliveries where deliveries.request_id collate "C" = page.id order by id limit 1
) as made on true
order by page.created_at, page.id;

-- name: put_entries
-- What search sees of a bundle or run; one that has a bundle only gives way to a newer version of it.
insert into entries (path, version, state, at, archived, parameters, metrics, tags)
select * from unnest(
    $1::text[], $2::integer[], $3::text[], $4::float8[], $5::boolean[], $6::text[], $7::text[], $8::text[]
)
on conflict (path) do update set
    version = excluded.version, state = excluded.state, at = excluded.at, archived = excluded.archived,
    parameters = excluded.parameters, metrics = excluded.metrics, tags = excluded.tags
where entries.version = 0 or excluded.version > entries.version
returning id, path, xmax <> 0 as was_there;

-- name: void_facts
-- Nothing of what was there before (in one space, if $2 names it) is found any more; what is there now is written over it.
update facts set number = null, word = null
where entry = any($1::bigint[]) and ($2 = '' or space = $2) and (number is not null or word is not null);

-- name: put_facts
insert into facts (entry, space, name, number, word)
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::float8[], $5::text[])
on conflict (entry, space, name) do update set number = excluded.number, word = excluded.word;

-- name: put_entry_states
-- A run goes on; once there is a bundle, its state is done.
update entries set state = new.state, at = new.at
from unnest($1::text[], $2::text[], $3::float8[]) as new (path, state, at)
where entries.path = new.path and entries.version = 0;

-- name: put_entries_archived
update entries set archived = new.archived
from unnest($1::text[], $2::boolean[]) as new (path, archived) where entries.path = new.path;

-- name: put_entry_tags
update entries set tags = new.tags
from unnest($1::text[], $2::text[]) as new (path, tags) where entries.path = new.path
returning entries.id, entries.path;

-- name: fact_names
-- From each name straight to the next one, along the index: as many steps as there are names.
with recursive found as (
    (select space, name from facts order by space, name limit 1)
    union all
    select following.space, following.name
    from found cross join lateral (
        select space, name from facts where (space, name) > (found.space, found.name) order by space, name limit 1
    ) as following
)
select space, name from found limit $1;

-- name: put_quarantine
-- What came into quarantine never changes, save its reason; what was decided does.
insert into quarantine (
    id, kind, state, place, reason, at, kept, user_name, request_id, decided_at, decision
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[],
    $10::float8[], $11::text[]
)
on conflict (id) do update set
    state = excluded.state, reason = excluded.reason, decided_at = excluded.decided_at, decision = excluded.decision;

-- name: get_item
select * from quarantine where id = $1;

-- name: list_quarantine
with chosen as (select * from quarantine where $3 or state = 'held')
select counted.rows_in_all, page.*
from (select count(*) as rows_in_all from chosen) as counted
left join (select * from chosen order by at, id offset $1 limit $2) as page on true
order by page.at, page.id;

-- name: get_pins
select * from pins where digest = $1;

-- name: get_inheritance
select * from inheritances where digest = $1;

-- name: orders
select * from orders order by bundle, name;

-- name: put_orders
insert into orders (
    bundle, name, arrivals, cron, due_at, fired, fired_at, fired_as, paused_at, paused_by, missed
)
select * from unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::float8[], $6::bigint[], $7::float8[], $8::text[],
    $9::float8[], $10::text[], $11::bigint[]
)
on conflict (bundle, name) do update set
    arrivals = excluded.arrivals, cron = excluded.cron, due_at = excluded.due_at, fired = excluded.fired,
    fired_at = excluded.fired_at, fired_as = excluded.fired_as, paused_at = excluded.paused_at,
    paused_by = excluded.paused_by, missed = excluded.missed;

-- name: put_held
-- Written once: what is decided about it stands in quarantine.
insert into held (
    id, request_id, bundle, user_name, reason, held_at, manifest, package, metrics, service_id, files
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (id) do nothing;

-- name: live_held
select held.* from held join quarantine using (id) where quarantine.state = 'held' order by quarantine.at, id;

-- name: get_held
select held.*, file_lists.entries from held join file_lists on file_lists.digest = held.files where id = $1;

-- name: newest_reports
select bundle, max(number) as number from reports group by bundle;

-- name: get_report
select * from reports where bundle = $1 and number = $2;

-- name: put_reports
insert into reports (bundle, number, run_id, made_at, about, files)
select * from unnest($1::text[], $2::bigint[], $3::text[], $4::float8[], $5::text[], $6::text[]);

-- name: put_trees
insert into trees (id, request_id, bundle, version, secret, tasks, created_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::bytea[], $6::text[], $7::float8[]);

-- name: put_leaves
insert into leaves (tree, number, run_id, place)
select * from unnest($1::text[], $2::integer[], $3::text[], $4::float8[]);

-- name: put_lines
insert into tree_lines (tree, position, entry) select * from unnest($1::text[], $2::bigint[], $3::bytea[]);

-- name: live_trees
select trees.* from trees join requests on requests.id = trees.request_id
where not requests.has_ended order by trees.created_at, trees.id;

-- name: leaves_of
select * from leaves where tree = any($1::text[]) order by tree, number;

-- name: lines_of
select tree, entry from tree_lines where tree = any($1::text[]) order by tree, position;

-- name: put_looks
insert into looks (request_id, place, seen) select * from unnest($1::text[], $2::text[], $3::text[])
on conflict (request_id, place) do nothing;

-- name: live_looks
select looks.* from looks join requests on requests.id = looks.request_id
where not requests.has_ended order by looks.request_id, looks.place;

-- name: put_edges
insert into edges (dst, kind, bundle, version, files, more_files)
select * from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::integer[])
on conflict (dst, kind, bundle, version) do update set files = excluded.files, more_files = excluded.more_files;

-- name: edges_into
select * from edges where dst = any($1::text[]);

-- name: known_files
select wanted.place
from unnest($1::text[], $2::integer[], $3::text[], $4::bytea[])
    with ordinality as wanted (bundle, version, path, digest, place)
join versions on versions.path = wanted.bundle collate "C" and versions.version = wanted.version
join files on files.version_id = versions.id and files.path = wanted.path collate "C" and files.digest = wanted.digest;

-- name: outputs_at
select * from outputs where path = any($1::text[]);

-- name: outputs_like
select * from outputs where digest = $1 and kind <> 'asset'
order by created_at desc, path collate "C" desc limit $2;

-- name: files_like
select versions.path as bundle, versions.version, files.path
from files join versions on versions.id = files.version_id
where files.digest = $1 order by versions.created_at, versions.path, files.path limit $2;

-- name: runs_named
-- Not the source itself, which may be long.
select runs.*, tasks.filename, tasks.source_digest, tasks.bundle as declared_bundle, tasks.version as declared_version
from runs left join tasks on tasks.id = runs.task_id where runs.id = any($1::text[]);

-- name: requests_named
select * from requests where id = any($1::text[]);

-- name: services_named
select * from services where id = any($1::text[]);

-- name: versions_at
select versions.*, bundles.archived, bundles.tags
from unnest($1::text[], $2::integer[]) as wanted (path, version)
join versions on versions.path = wanted.path collate "C" and versions.version = wanted.version
join bundles on bundles.path = versions.path;

-- name: makers_of
select distinct on (wanted.path, wanted.version) wanted.path, wanted.version, services.id
from unnest($1::text[], $2::integer[]) as wanted (path, version)
join deliveries on deliveries.bundle collate "C" = wanted.path collate "C" and deliveries.version = wanted.version
join services on services.delivery_id = deliveries.id and services.delivery_id <> ''
order by wanted.path, wanted.version, deliveries.is_new desc, deliveries.installed_at;

-- name: made_by
select services.id, deliveries.bundle, deliveries.version
from services join deliveries on deliveries.id = services.delivery_id where services.id = any($1::text[]);

-- name: followers
-- Of each version and each kind the first ones, and how many there are; who read of a version is not on it besides.
select wanted.path, wanted.version, found.kind, found.what, found.dst, found.total
from unnest($1::text[], $2::integer[]) as wanted (path, version)
cross join lateral (
    select
        kind, what, dst, count(*) over (partition by kind, what) as total,
        row_number() over (partition by kind, what order by length(dst), dst) as place
    from (
        select kind, case when dst like 'req-%' then 'run' else 'version' end as what, dst
        from edges where edges.bundle = wanted.path collate "C" and edges.version = wanted.version
        union all
        select 'on', 'run', runs.id
        from runs where runs.bundle = wanted.path and runs.version = wanted.version and runs.bundle <> ''
        and not exists (
            select from edges
            where edges.dst = runs.id and edges.kind = 'read' and edges.bundle = runs.bundle collate "C"
            and edges.version = runs.version
        )
        union all
        select 'on', 'service', services.id
        from services where services.bundle = wanted.path and services.version = wanted.version
    ) as every
) as found
where found.place <= $3
order by wanted.path, wanted.version, found.kind, found.what, found.place;

-- name: products
select * from (
    select
        outputs.*, count(*) over (partition by run_id) as total,
        row_number() over (partition by run_id order by position) as place
    from outputs where run_id = any($1::text[]) and kind <> 'asset'
) as counted
where place <= $2 order by run_id, position;

-- name: reports_of
select bundle, number, run_id, made_at from reports where run_id = any($1::text[]);

-- name: reuses
select * from (
    select
        reused_of, id, count(*) over (partition by reused_of) as total,
        row_number() over (partition by reused_of order by id) as place
    from runs where reused_of = any($1::text[]) and reused_of <> ''
) as counted
where place <= $2 order by reused_of, place;
