-- Whom a request left out, and why: [[bundle, reason], ...]; empty for nobody.
alter table requests add column skipped text not null default '';
