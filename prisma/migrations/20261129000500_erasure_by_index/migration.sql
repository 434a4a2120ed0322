-- Before the planner has looked at a table with a very long timeline it takes it for short, and reads and sorts all of
-- it for each batch. These functions go along the index of the timeline, whatever the planner believes.
SET lock_timeout = '5s';

ALTER FUNCTION erase_leftovers(uuid, integer, timestamptz, bigint)
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off;
ALTER FUNCTION has_leftovers(uuid) SET enable_seqscan = off SET enable_bitmapscan = off;
ALTER FUNCTION bound_touches(uuid, text) SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off;
