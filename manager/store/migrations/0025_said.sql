-- How many of an instance's lines people were shown: when it goes elsewhere it prints them again, and they are left out.
alter table runs add column said integer not null default 0;
