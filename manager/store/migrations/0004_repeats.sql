-- What data a run was given, and which run left a version: so that it can be run again and compared.
alter table services add column data_digest bytea not null default '';
create index services_delivery on services (delivery_id) where delivery_id <> '';
create index deliveries_version on deliveries (bundle collate "C", version);
