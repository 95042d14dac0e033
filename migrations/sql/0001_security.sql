-- The role the service acts as: reads and writes, owns nothing, so row-level security binds it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pioneer_app') THEN
        CREATE ROLE pioneer_app NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'pioneer_app', 'MEMBER') THEN
        EXECUTE format('GRANT pioneer_app TO %I', current_user);
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO pioneer_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO pioneer_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO pioneer_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pioneer_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO pioneer_app;

-- The trail is written once.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry FROM pioneer_app;
REVOKE DELETE, TRUNCATE ON audit_chain FROM pioneer_app;

-- One policy on every table that belongs to communities: a row exists for those whose scope covers it.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.table_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND c.column_name = 'community_code'
          AND c.table_name <> 'import_job' AND t.table_type = 'BASE TABLE'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY scope ON %I USING (community_code LIKE ANY '
            '(string_to_array(current_setting(''app.scope'', true), '','')))', name);
    END LOOP;
END
$$;
