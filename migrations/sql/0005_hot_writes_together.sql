-- Hot writes for several phones at once. A push is a group: one phone's commands of one kind for one community.
-- Groups of different communities that arrive together go through one call, one statement a step, one commit, and
-- each group's phone is answered after it; a group alone is the same call with arrays of one. Every command carries
-- `g`, the number of its group, and what belongs to a group is read from arrays by that number. A call holds at
-- most one group of a community, in code order, which is the order in which clocks are taken.
--
-- Lookups are LATERAL with OFFSET 0, as in 0002: by key, whatever the planner thinks of a community's size.

DROP FUNCTION take_commands(char, uuid, text, uuid, boolean, text, text, jsonb);
DROP FUNCTION screening_record_door_visits(char, bigint, uuid, text, uuid, boolean, jsonb);
DROP FUNCTION care_record_visits(char, bigint, uuid, text, uuid, boolean, jsonb);

CREATE FUNCTION screening_record_door_visits(
    p_communities bpchar[], p_versions bigint[], p_actors uuid[], p_actor_names text[], p_devices uuid[],
    p_are_desks boolean[], p_visits jsonb
) RETURNS TABLE (group_no int, visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_groups int[];
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
    v_round_groups int[];
    v_rounds uuid[];
    v_persons int[];
    v_symptoms int[];
BEGIN
    -- judge, in the batch's order
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused
    FROM (
        SELECT v.n, v.g, v.id, place.area_id,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN r.id IS NULL THEN 'round_not_found'
                WHEN s.has_stranger THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN r.status = 'closed' AND v.recorded_at > r.closed_at THEN 'round_closed'
                WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                    assignment_flag(p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                    '')
            END AS flag
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb
        )) WITH ORDINALITY AS v(g, id, household_id, round_id, recorded_at, persons, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id
            FROM household h
            JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a
                ON a.community_code = h.community_code AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_communities[v.g] AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        LEFT JOIN LATERAL (
            SELECT q.id, q.status, q.closed_at FROM screening_round q
            WHERE q.id = v.round_id AND p_communities[v.g] LIKE q.division_prefix || '%'
            OFFSET 0
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT bool_or(known.id IS NULL) AS has_stranger
            FROM jsonb_to_recordset(v.persons) AS p(resident_id uuid)
            LEFT JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = p_communities[v.g] AND m.id = p.resident_id
                    AND m.household_id = v.household_id
                OFFSET 0
            ) known ON true
        ) s ON true
    ) j;

    -- the visits themselves
    INSERT INTO door_visit (
        community_code, id, round_id, household_id, responsibility_area_id, epoch, outcome, persons, note_sealed,
        actor_id, actor_name, device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_communities[v.g], v.id, v.round_id, v.household_id, v.area_id, v.epoch, v.outcome, v.persons,
        decode(v.note, 'base64'), p_actors[v.g], p_actor_names[v.g], p_devices[v.g], v.recorded_at, now(), v.reason,
        v.delete_by, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, round_id uuid, epoch int, outcome text, recorded_at timestamptz,
            persons jsonb, note text, delete_by date),
        unnest(v_areas), unnest(v_reasons), unnest(v_refused)
    ) AS v(
        g, id, household_id, round_id, epoch, outcome, recorded_at, persons, note, delete_by, area_id, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    -- the newest answer for each person: being here is what counts as screened
    WITH given AS (
        SELECT DISTINCT ON (v.g, v.round_id, p.resident_id)
            v.g, v.round_id, p.resident_id, v.household_id, v.id AS visit_id, p.status, p.temperature_c,
            coalesce(p.symptoms, '{}') AS symptoms, p.risk_area, v.recorded_at, v.delete_by
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (
                g int, id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb,
                delete_by date),
            unnest(v_refused)
        ) AS v(g, id, household_id, round_id, recorded_at, persons, delete_by, refused)
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(
            resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
        WHERE NOT v.refused AND p.status <> 'unknown'
        ORDER BY v.g, v.round_id, p.resident_id, v.recorded_at DESC, v.id DESC
    ), met AS (
        SELECT given.*, b.status AS before
        FROM given
        LEFT JOIN LATERAL (
            SELECT c.status FROM person_check c
            WHERE c.community_code = p_communities[given.g] AND c.round_id = given.round_id
                AND c.resident_id = given.resident_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, recorded_at, delete_by, version)
        SELECT p_communities[met.g], met.round_id, met.resident_id, met.household_id, met.visit_id, met.status,
            met.temperature_c, met.symptoms, met.risk_area, met.recorded_at, met.delete_by, p_versions[met.g]
        FROM met
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
        WHERE (excluded.recorded_at, excluded.visit_id) > (c.recorded_at, c.visit_id)
        RETURNING c.community_code, c.round_id, c.resident_id, c.status
    ), moved AS (
        SELECT met.g, met.round_id,
            count(*) FILTER (WHERE met.before IS NULL) AS persons,
            count(*) FILTER (WHERE put.status = 'symptoms') - count(*) FILTER (WHERE met.before = 'symptoms')
                AS symptoms
        FROM put
        JOIN met ON put.community_code = p_communities[met.g] AND put.round_id = met.round_id
            AND put.resident_id = met.resident_id
        GROUP BY met.g, met.round_id
    )
    SELECT array_agg(g), array_agg(round_id), array_agg(persons), array_agg(symptoms)
    INTO v_round_groups, v_rounds, v_persons, v_symptoms
    FROM moved;

    -- where each household now stands: read from all its visits, so the order of arrival does not matter
    WITH touched AS (
        SELECT v.g, v.round_id, v.household_id, count(*) AS visits
        FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (g int, household_id uuid, round_id uuid), unnest(v_refused)
        ) AS v(g, household_id, round_id, refused)
        WHERE NOT v.refused
        GROUP BY v.g, v.round_id, v.household_id
    ), after AS (
        SELECT t.g, t.round_id, t.household_id, t.visits, f.attempts, f.last_id, f.last_at, f.last_by,
            b.outcome AS before,
            CASE
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM touched t
        CROSS JOIN LATERAL (
            SELECT k.resident_count FROM household k
            WHERE k.community_code = p_communities[t.g] AND k.id = t.household_id
            OFFSET 0
        ) h
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.outcome = 'no_answer') AS attempts,
                (array_agg(v.outcome) FILTER (
                    WHERE v.outcome IN ('answered_all', 'answered_part', 'vacant', 'wrong_address')))[1] AS settled,
                (array_agg(v.outcome))[1] AS last_outcome,
                (array_agg(v.id))[1] AS last_id,
                (array_agg(v.actor_name))[1] AS last_by,
                max(v.recorded_at) AS last_at
            FROM (
                SELECT d.outcome, d.id, d.actor_name, d.recorded_at FROM door_visit d
                WHERE d.community_code = p_communities[t.g] AND d.household_id = t.household_id
                    AND d.round_id = t.round_id
                ORDER BY d.recorded_at DESC, d.id DESC
            ) v
        ) f
        CROSS JOIN LATERAL (
            SELECT count(r.id) AS done
            FROM person_check k
            CROSS JOIN LATERAL (
                SELECT m.id FROM resident m
                WHERE m.community_code = k.community_code AND m.id = k.resident_id AND NOT m.is_gone
                OFFSET 0
            ) r
            WHERE k.community_code = p_communities[t.g] AND k.household_id = t.household_id
                AND k.round_id = t.round_id
        ) c
        LEFT JOIN LATERAL (
            SELECT s.outcome FROM household_screening s
            WHERE s.community_code = p_communities[t.g] AND s.round_id = t.round_id
                AND s.household_id = t.household_id
            OFFSET 0
        ) b ON true
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, last_visit_id, last_at, last_by, version)
        SELECT p_communities[g], round_id, household_id, outcome, attempts, last_id, last_at, last_by, p_versions[g]
        FROM after
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, answered_all, answered_part, no_answer, refused, vacant, wrong_address, unsafe,
        persons_done, persons_symptoms, visit_count)
    SELECT p_communities[a.g], a.round_id,
        count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all'),
        count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part'),
        count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer'),
        count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused'),
        count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant'),
        count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address'),
        count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe'),
        coalesce(max(m.persons), 0), coalesce(max(m.symptoms), 0), sum(a.visits)
    FROM after a
    LEFT JOIN unnest(v_round_groups, v_rounds, v_persons, v_symptoms) AS m(g, round_id, persons, symptoms)
        ON m.g = a.g AND m.round_id = a.round_id
    GROUP BY a.g, a.round_id
    ON CONFLICT (community_code, round_id) DO UPDATE SET
        answered_all = t.answered_all + excluded.answered_all,
        answered_part = t.answered_part + excluded.answered_part,
        no_answer = t.no_answer + excluded.no_answer,
        refused = t.refused + excluded.refused,
        vacant = t.vacant + excluded.vacant,
        wrong_address = t.wrong_address + excluded.wrong_address,
        unsafe = t.unsafe + excluded.unsafe,
        persons_done = t.persons_done + excluded.persons_done,
        persons_symptoms = t.persons_symptoms + excluded.persons_symptoms,
        visit_count = t.visit_count + excluded.visit_count;

    -- the phones that carry these doors have something to fetch
    UPDATE responsibility_area a SET version = p_versions[u.g]
    FROM (SELECT DISTINCT w.g, w.area_id FROM unnest(v_groups, v_areas) AS w(g, area_id)) u
    WHERE a.community_code = p_communities[u.g] AND a.id = u.area_id AND a.version < p_versions[u.g];

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;

CREATE FUNCTION care_record_visits(
    p_communities bpchar[], p_versions bigint[], p_actors uuid[], p_actor_names text[], p_devices uuid[],
    p_are_desks boolean[], p_visits jsonb
) RETURNS TABLE (group_no int, visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_groups int[];
    v_ids uuid[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
BEGIN
    SELECT array_agg(j.g ORDER BY n), array_agg(j.id ORDER BY n), array_agg(j.area_id ORDER BY n),
        array_agg(coalesce(j.refusal, j.flag) ORDER BY n), array_agg(j.refusal IS NOT NULL ORDER BY n)
    INTO v_groups, v_ids, v_areas, v_reasons, v_refused
    FROM (
        SELECT v.n, v.g, v.id, place.area_id,
            CASE
                WHEN place.household_id IS NULL THEN 'household_not_found'
                WHEN v.resident_id IS NOT NULL AND r.id IS NULL THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                    assignment_flag(p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                    '')
            END AS flag
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, recorded_at timestamptz
        )) WITH ORDINALITY AS v(g, id, household_id, resident_id, recorded_at, n)
        LEFT JOIN LATERAL (
            SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id
            FROM household h
            JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
            LEFT JOIN responsibility_area a
                ON a.community_code = h.community_code AND a.id = d.responsibility_area_id
            WHERE h.community_code = p_communities[v.g] AND h.id = v.household_id
            OFFSET 0
        ) place ON true
        LEFT JOIN LATERAL (
            SELECT m.id FROM resident m
            WHERE m.community_code = p_communities[v.g] AND m.id = v.resident_id
                    AND m.household_id = v.household_id
            OFFSET 0
        ) r ON true
    ) j;

    INSERT INTO care_visit (
        community_code, id, household_id, resident_id, condition, needs, note_sealed, next_on, actor_id, actor_name,
        device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_communities[v.g], v.id, v.household_id, v.resident_id, v.condition, coalesce(v.needs, '{}'),
        decode(v.note, 'base64'), v.next_on, p_actors[v.g], p_actor_names[v.g], p_devices[v.g], v.recorded_at, now(),
        v.reason, v.delete_by, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, condition text, needs text[], note text,
            next_on date, recorded_at timestamptz, delete_by date),
        unnest(v_reasons), unnest(v_refused)
    ) AS v(g, id, household_id, resident_id, condition, needs, note, next_on, recorded_at, delete_by, reason, refused)
    WHERE NOT v.refused
    ON CONFLICT DO NOTHING;

    INSERT INTO care_plan AS p (
        community_code, household_id, last_visit_id, resident_id, condition, needs, last_at, next_on, version)
    SELECT DISTINCT ON (v.g, v.household_id)
        p_communities[v.g], v.household_id, v.id, v.resident_id, v.condition, coalesce(v.needs, '{}'), v.recorded_at,
        v.next_on, p_versions[v.g]
    FROM ROWS FROM (
        jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, resident_id uuid, condition text, needs text[], next_on date,
            recorded_at timestamptz),
        unnest(v_refused)
    ) AS v(g, id, household_id, resident_id, condition, needs, next_on, recorded_at, refused)
    WHERE NOT v.refused
    ORDER BY v.g, v.household_id, v.recorded_at DESC, v.id DESC
    ON CONFLICT (community_code, household_id) DO UPDATE SET
        last_visit_id = excluded.last_visit_id, resident_id = excluded.resident_id, condition = excluded.condition,
        needs = excluded.needs, last_at = excluded.last_at, next_on = excluded.next_on, version = excluded.version
    WHERE (excluded.last_at, excluded.last_visit_id) > (p.last_at, p.last_visit_id);

    UPDATE responsibility_area a SET version = p_versions[u.g]
    FROM (SELECT DISTINCT w.g, w.area_id FROM unnest(v_groups, v_areas) AS w(g, area_id)) u
    WHERE a.community_code = p_communities[u.g] AND a.id = u.area_id AND a.version < p_versions[u.g];

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;

-- p_groups: [{community, actor, actor_name, device, is_desk, request, name}], communities distinct and in order;
-- p_commands: the payloads with g (1 and up), id, recorded_at and epoch; of a group named 'refused', those refused
-- before they came here, each with its refusal. An id known in its community or under "no community" is answered as
-- it was the first time.
CREATE FUNCTION take_commands(p_groups jsonb, p_commands jsonb)
RETURNS TABLE (group_no int, command_id uuid, answer text, code text, detail text, is_repeat boolean, confirmed int)
LANGUAGE plpgsql AS $$
DECLARE
    v_communities bpchar[];
    v_actors uuid[];
    v_actor_names text[];
    v_devices uuid[];
    v_are_desks boolean[];
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
        array_agg(g.device ORDER BY n), array_agg(g.is_desk ORDER BY n), array_agg(g.request ORDER BY n),
        array_agg(g.name ORDER BY n)
    INTO v_communities, v_actors, v_actor_names, v_devices, v_are_desks, v_requests, v_names
    FROM ROWS FROM (jsonb_to_recordset(p_groups) AS (
        community bpchar, actor uuid, actor_name text, device uuid, is_desk boolean, request text, name text
    )) WITH ORDINALITY AS g(community, actor, actor_name, device, is_desk, request, name, n);
    FOR n IN 1 .. cardinality(v_communities) LOOP
        v_versions[n] := advance_clock(v_communities[n]);
    END LOOP;

    SELECT array_agg(c.g), array_agg(c.id) INTO v_known_groups, v_known_ids
    FROM jsonb_to_recordset(p_commands) AS c(g int, id uuid)
    CROSS JOIN LATERAL (
        SELECT FROM sync_command s
        WHERE s.community_code IN (v_communities[c.g], '000000000000') AND s.id = c.id
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

        INSERT INTO sync_command (
            community_code, id, name, account_id, device_id, status, code, detail, recorded_at, received_at)
        SELECT v_communities[c.g], c.id, v_names[c.g], v_actors[c.g], v_devices[c.g], c.verdict, c.reason,
            c.refusal_detail, c.recorded_at, now()
        FROM ROWS FROM (
            jsonb_to_recordset(v_fresh) AS (g int, id uuid, recorded_at timestamptz, refusal_detail text),
            unnest(v_verdicts), unnest(v_reasons)
        ) AS c(g, id, recorded_at, refusal_detail, verdict, reason);

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
            SELECT s.status, s.code, s.detail FROM sync_command s
            WHERE s.community_code IN (v_communities[k.g], '000000000000') AND s.id = k.id
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
