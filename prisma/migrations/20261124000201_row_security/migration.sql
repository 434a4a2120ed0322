-- The role that the API works under: it sees the rows of one organization, the one that `app.organization_id` names for
-- the transaction, and none while nothing is named. Workers, relays and migrations work as the owner, whom policies do
-- not hold: what they work on was ordered by us, not by a caller.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lead_api') THEN
    CREATE ROLE lead_api NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'lead_api', 'USAGE') THEN
    EXECUTE format('GRANT lead_api TO %I', current_user);
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles are shared: another database of this server was migrated at the same moment
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'Let an administrator run: CREATE ROLE lead_api NOLOGIN (unless it is there); GRANT lead_api TO %. %',
      quote_ident(current_user),
      'Then: node prisma/engine/cli.mjs migrate resolve --rolled-back 20261124000201_row_security, and deploy again.';
END $$;

-- Every table that belongs to organizations, whatever earlier migrations have made.
DO $$
DECLARE
  tenant_table regclass;
BEGIN
  FOR tenant_table IN
    SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attname = 'organization_id'
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$CREATE POLICY own_organization ON %s TO lead_api
                     USING (organization_id = current_setting('app.organization_id', true))$policy$, tenant_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO lead_api', tenant_table);
  END LOOP;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO lead_api', current_schema());
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO lead_api', current_schema());
END $$;

-- Takes a lead in for an organization, and sees its rows only. Still one statement: it names the organization itself.
CREATE FUNCTION intake_lead(organization text, submission jsonb)
  RETURNS TABLE (outcome text, replayed boolean, stored jsonb) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.organization_id', organization, true);
  RETURN QUERY SELECT i.outcome, i.replayed, i.stored FROM intake_lead(submission) AS i;
END $$;
