-- The manifest that a delivery came with, as its sender wrote it: spent, and kept.
alter table deliveries add column manifest text not null default '';
