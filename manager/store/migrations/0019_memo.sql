-- What a run comes to is known when the same was run before on the same data: its key, and of a run that was not run the
-- run whose results and outputs it has.
alter table runs add column memo_key bytea not null default '', add column reused_of text not null default '';
create index runs_memo_key on runs (memo_key) where memo_key <> '' and has_ended;
