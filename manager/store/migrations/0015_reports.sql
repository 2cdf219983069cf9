-- What was found about a bundle, state after state: a number is used once, and what it stands for never changes.
create table reports (
    bundle text collate "C" not null,
    number bigint not null,
    run_id text collate "C" not null,
    made_at double precision not null,
    about text not null,
    files text not null,
    primary key (bundle, number)
);
