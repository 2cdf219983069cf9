-- What search sees. An entry is a bundle at its newest version, or a service run that has not become one; facts are its
-- parameters, metrics and tags by name. A fact that is no more has neither number nor word.
create table entries (
    id bigint generated always as identity primary key,
    path text collate "C" not null unique,
    version integer not null,
    state text collate "C" not null,
    at double precision not null,
    archived boolean not null,
    parameters text not null,
    metrics text not null,
    tags text not null
) with (fillfactor = 80);

create table facts (
    entry bigint not null,
    space text collate "C" not null,
    name text collate "C" not null,
    number double precision,
    word text collate "C",
    primary key (entry, space, name)
);
create index facts_numbers on facts (space, name, number) include (entry);
create index facts_words on facts (space, name, word) include (entry);
