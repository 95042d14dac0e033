-- As in 0011, and: what a phone says whose clock is wrong is taken, credited and flagged `clock_skew`, unless there is
-- another reason to look at it. Whether it is wrong the service has reckoned from what the phone said of its clock.

-- p_groups: [{community, actor, actor_name, device, is_desk, is_off, request, name}], communities distinct and in order,
-- is_off where the clock was wrong for any of its commands; p_commands: the payloads with g (1 and up), id, recorded_at
-- and epoch, is_off where the clock was wrong, clock_error_s where the phone knew by how much; of a group named
-- 'refused', those refused before they came here, each with its refusal. An id known in its community or under "no community" is answered as
-- it was the first time.
CREATE OR REPLACE FUNCTION take_commands(p_groups jsonb, p_commands jsonb)
RETURNS TABLE (group_no int, command_id uuid, answer text, code text, detail text, is_repeat boolean, confirmed int)
LANGUAGE plpgsql AS $$
DECLARE
    v_communities bpchar[];
    v_actors uuid[];
    v_actor_names text[];
    v_devices uuid[];
    v_are_desks boolean[];
    v_are_off boolean[];
    v_off uuid[];
    v_requests text[];
    v_names text[];
    v_versions bigint[];
    v_fresh jsonb := p_commands;
    v_visits jsonb;
    v_care jsonb;
    v_refused jsonb;
    v_known_groups int[];
    v_known_ids uuid[];
    v_verdicts text[] := '{}';
    v_reasons text[] := '{}';
    v_more_verdicts text[];
    v_more_reasons text[];
    v_today date := (now() AT TIME ZONE interval '8 hours')::date;
BEGIN
    SELECT array_agg(g.community ORDER BY n), array_agg(g.actor ORDER BY n), array_agg(g.actor_name ORDER BY n),
        array_agg(g.device ORDER BY n), array_agg(g.is_desk ORDER BY n), array_agg(g.is_off ORDER BY n),
        array_agg(g.request ORDER BY n), array_agg(g.name ORDER BY n)
    INTO v_communities, v_actors, v_actor_names, v_devices, v_are_desks, v_are_off, v_requests, v_names
    FROM ROWS FROM (jsonb_to_recordset(p_groups) AS (
        community bpchar, actor uuid, actor_name text, device uuid, is_desk boolean, is_off boolean, request text,
        name text
    )) WITH ORDINALITY AS g(community, actor, actor_name, device, is_desk, is_off, request, name, n);
    FOR n IN 1 .. cardinality(v_communities) LOOP
        v_versions[n] := advance_clock(v_communities[n]);
    END LOOP;

    SELECT array_agg(c.g), array_agg(c.id) INTO v_known_groups, v_known_ids
    FROM jsonb_to_recordset(p_commands) AS c(g int, id uuid)
    CROSS JOIN LATERAL (
        (SELECT FROM sync_command k WHERE k.community_code = v_communities[c.g] AND k.id = c.id OFFSET 0)
        UNION ALL
        (SELECT FROM sync_command k WHERE k.community_code = '000000000000' AND k.id = c.id OFFSET 0)
        LIMIT 1
    ) s;
    IF v_known_ids IS NOT NULL THEN
        SELECT jsonb_agg(c.body) INTO v_fresh
        FROM jsonb_array_elements(p_commands) AS c(body)
        WHERE NOT EXISTS (
            SELECT FROM unnest(v_known_groups, v_known_ids) AS k(g, id)
            WHERE k.g = (c.body ->> 'g')::int AND k.id = (c.body ->> 'id')::uuid);
    END IF;

    IF v_fresh IS NOT NULL THEN
        -- by kind: verdicts are gathered in this order, and v_fresh is put into it
        IF 'screening.record_door_visit' = ALL (v_names) THEN
            v_visits := v_fresh;
        ELSE
            SELECT jsonb_agg(c.body) FILTER (WHERE v_names[c.g] = 'screening.record_door_visit'),
                jsonb_agg(c.body) FILTER (WHERE v_names[c.g] = 'care.record_visit'),
                jsonb_agg(c.body) FILTER (WHERE v_names[c.g] = 'refused')
            INTO v_visits, v_care, v_refused
            FROM (SELECT e.body, (e.body ->> 'g')::int AS g FROM jsonb_array_elements(v_fresh) AS e(body)) c;
            v_fresh := coalesce(v_visits, '[]') || coalesce(v_care, '[]') || coalesce(v_refused, '[]');
        END IF;
        IF v_visits IS NOT NULL THEN
            SELECT array_agg(r.verdict), array_agg(r.reason) INTO v_verdicts, v_reasons
            FROM screening_record_door_visits(
                v_communities, v_versions, v_actors, v_actor_names, v_devices, v_are_desks, v_visits) r;
        END IF;
        IF v_care IS NOT NULL THEN
            SELECT array_agg(r.verdict), array_agg(r.reason) INTO v_more_verdicts, v_more_reasons
            FROM care_record_visits(
                v_communities, v_versions, v_actors, v_actor_names, v_devices, v_are_desks, v_care) r;
            v_verdicts := v_verdicts || v_more_verdicts;
            v_reasons := v_reasons || v_more_reasons;
        END IF;
        IF v_refused IS NOT NULL THEN
            SELECT array_agg('rejected'::text), array_agg(c.refusal) INTO v_more_verdicts, v_more_reasons
            FROM jsonb_to_recordset(v_refused) AS c(refusal text);
            v_verdicts := v_verdicts || v_more_verdicts;
            v_reasons := v_reasons || v_more_reasons;
        END IF;

        IF true = ANY (v_are_off) THEN
            SELECT array_agg(c.id) FILTER (WHERE c.is_off AND c.verdict = 'accepted'),
                array_agg(CASE WHEN c.is_off AND c.verdict = 'accepted' THEN 'flagged' ELSE c.verdict END ORDER BY n),
                array_agg(CASE WHEN c.is_off AND c.verdict = 'accepted' THEN 'clock_skew' ELSE c.reason END ORDER BY n)
            INTO v_off, v_verdicts, v_reasons
            FROM ROWS FROM (
                jsonb_to_recordset(v_fresh) AS (id uuid, is_off boolean), unnest(v_verdicts), unnest(v_reasons)
            ) WITH ORDINALITY AS c(id, is_off, verdict, reason, n);
            UPDATE door_visit SET flag_code = 'clock_skew'
            WHERE community_code = ANY (v_communities) AND id = ANY (v_off);
            UPDATE care_visit SET flag_code = 'clock_skew'
            WHERE community_code = ANY (v_communities) AND id = ANY (v_off);
        END IF;

        INSERT INTO sync_command (
            community_code, id, name, account_id, device_id, status, code, detail, recorded_at, clock_error_s,
            received_at)
        SELECT v_communities[c.g], c.id, v_names[c.g], v_actors[c.g], v_devices[c.g], c.verdict, c.reason,
            c.refusal_detail, c.recorded_at, c.clock_error_s, now()
        FROM ROWS FROM (
            jsonb_to_recordset(v_fresh) AS (
                g int, id uuid, recorded_at timestamptz, refusal_detail text, clock_error_s int),
            unnest(v_verdicts), unnest(v_reasons)
        ) AS c(g, id, recorded_at, refusal_detail, clock_error_s, verdict, reason);

        INSERT INTO confirmed_day AS d (community_code, account_id, day, confirmed_count)
        SELECT v_communities[c.g], v_actors[c.g], v_today, count(*)
        FROM ROWS FROM (jsonb_to_recordset(v_fresh) AS (g int), unnest(v_verdicts)) AS c(g, verdict)
        WHERE c.verdict <> 'rejected'
        GROUP BY c.g
        ON CONFLICT (community_code, account_id, day)
            DO UPDATE SET confirmed_count = d.confirmed_count + excluded.confirmed_count;

        PERFORM append_audit(
            v_communities[e.g], v_actors[e.g], v_actor_names[e.g], v_devices[e.g], v_names[e.g], e.ids, e.payload,
            v_requests[e.g])
        FROM (
            SELECT (c.body ->> 'g')::int AS g, jsonb_agg(c.body -> 'id') AS ids,
                jsonb_agg(c.body - 'g')::text AS payload
            FROM jsonb_array_elements(v_fresh) AS c(body)
            GROUP BY 1
            ORDER BY 1
        ) e;
    END IF;

    RETURN QUERY
    SELECT r.g, r.id, r.status, r.code, r.detail, r.is_known, coalesce(d.confirmed_count, 0)
    FROM (
        SELECT k.g, k.id, s.status::text AS status, s.code::text AS code, s.detail::text AS detail, true AS is_known
        FROM unnest(v_known_groups, v_known_ids) AS k(g, id)
        CROSS JOIN LATERAL (
            (SELECT c.status, c.code, c.detail FROM sync_command c
            WHERE c.community_code = v_communities[k.g] AND c.id = k.id OFFSET 0)
            UNION ALL
            (SELECT c.status, c.code, c.detail FROM sync_command c
            WHERE c.community_code = '000000000000' AND c.id = k.id OFFSET 0)
            LIMIT 1
        ) s
        UNION ALL
        SELECT f.g, f.id, f.verdict, f.reason, f.refusal_detail, false
        FROM ROWS FROM (
            jsonb_to_recordset(v_fresh) AS (g int, id uuid, refusal_detail text),
            unnest(v_verdicts), unnest(v_reasons)
        ) AS f(g, id, refusal_detail, verdict, reason)
    ) r
    LEFT JOIN LATERAL (
        SELECT c.confirmed_count FROM confirmed_day c
        WHERE c.community_code = v_communities[r.g] AND c.account_id = v_actors[r.g] AND c.day = v_today
        OFFSET 0
    ) d ON true;
END
$$;
