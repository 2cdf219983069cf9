-- Standing orders that somebody has wait: since when, who asked for it, and how many firings were passed over since.
alter table orders
    add column paused_at double precision not null default 0,
    add column paused_by text not null default '',
    add column missed bigint not null default 0;
