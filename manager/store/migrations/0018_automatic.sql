-- Why a request was asked, and the bundle that it was kept to by who asked it.
alter table requests add column because text not null default '', add column scope text not null default '';
-- What automatic users have asked lately, and whether they may: few of all requests.
create index requests_automatic on requests (created_at) where user_name like 'ai:%' or kind = 'planner';
