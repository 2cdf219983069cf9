-- What is kept and not used: things that somebody put into the managed tree by hand, and deliveries whose conditions do
-- not hold. A decision changes the state; nothing is ever taken out.
create table quarantine (
    id text collate "C" primary key,
    kind text not null,
    state text not null,
    place text not null,
    reason text not null,
    at double precision not null,
    kept text not null,
    user_name text not null,
    request_id text not null,
    decided_at double precision not null,
    decision text not null
);
create index quarantine_held on quarantine (at, id) where state = 'held';
