-- What a version measured, by the names that queries use: a JSON object, or empty.
alter table versions add column metrics text not null default '';
