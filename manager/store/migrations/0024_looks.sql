-- What a request saw when it looked for the first time: which version it loads from where it names none, and what links led
-- to. `seen` is a number, or the digest of a text in pins. Whoever looks again for the same request sees the same.
create table looks (
    request_id text collate "C" not null,
    place text collate "C" not null,
    seen text not null,
    primary key (request_id, place)
);
