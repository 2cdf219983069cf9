-- What a push came to is found by its request.
create index deliveries_request on deliveries (request_id collate "C");
