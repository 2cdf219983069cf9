-- Space, name and word of a fact go together: told so, the planner takes hash joins for what thousands of runs have, a
-- third of the time. Facts are looked for soon after they came, so their statistics are renewed early.
create statistics facts_together (dependencies, ndistinct, mcv) on space, name, word from facts;
alter table facts set (autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
