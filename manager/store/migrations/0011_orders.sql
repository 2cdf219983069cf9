-- What is remembered of standing orders between their firings: how many have arrived, when the next is due.
create table orders (
    bundle text collate "C" not null,
    name text collate "C" not null,
    arrivals bigint not null,
    cron text not null,
    due_at double precision not null,
    fired bigint not null,
    fired_at double precision not null,
    fired_as text not null,
    primary key (bundle, name)
) with (fillfactor = 80);
-- The firings of standing orders that led to a request, as JSON; empty for none.
alter table requests add column chain text not null default '';
