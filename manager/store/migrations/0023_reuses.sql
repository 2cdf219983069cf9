-- Which runs were answered with what a run had left: lineage asks that of the run.
create index runs_reused_of on runs (reused_of) where reused_of <> '';
