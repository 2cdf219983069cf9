-- What a version inherits is a snapshot, taken when it is made: the many children of one bundle share one.
create table inheritances (
    digest bytea primary key,
    entries text not null
);
alter table versions add column inherited bytea not null default '';
-- The version of its bundle that declares a task; 0 for the newest.
alter table tasks add column version integer not null default 0;
