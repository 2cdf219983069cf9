-- What came of a version, where no other row says it: files that a run read, code of another bundle that it ran, what a
-- version was given by a parent or says that it builds on. `dst` is the id of a run, or bundle@version.
create table edges (
    dst text collate "C" not null,
    kind text collate "C" not null,
    bundle text collate "C" not null,
    version integer not null,
    files text not null,
    more_files integer not null,
    primary key (dst, kind, bundle, version)
);
create index edges_source on edges (bundle, version);
-- Lineage begins anywhere and is followed both ways.
create index outputs_path on outputs (path);
create index outputs_digest on outputs (digest);
create index files_digest on files (digest);
create index runs_bundle on runs (bundle, version) where bundle <> '';
create index services_bundle on services (bundle, version);
create index reports_run on reports (run_id);
