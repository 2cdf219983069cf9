-- Which templates, words and pictures of the installation's own a run was pinned to when it was asked for.
alter table runs add column config bytea not null default '';
