-- Tags that people set on a bundle: a JSON object (null: taken away), or empty.
alter table bundles add column tags text not null default '';
