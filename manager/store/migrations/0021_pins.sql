-- What the runs of a request see below their bundles: which version of each, fixed when it is asked. A list is kept once,
-- for all requests that see the same.
create table pins (digest bytea primary key, places text not null);
alter table requests add column pins bytea not null default '';
