-- Hot writes: each is one call, and each takes the community's clock row first. In READ COMMITTED every
-- later statement of the function then sees all that earlier holders of the lock have committed.

CREATE FUNCTION advance_clock(
    p_community char(12), p_dwellings int DEFAULT 0, p_vacant int DEFAULT 0, p_households int DEFAULT 0,
    p_residents int DEFAULT 0, p_unassigned int DEFAULT 0
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v bigint;
BEGIN
    LOOP
        UPDATE community_clock SET
            version = version + 1,
            dwelling_count = dwelling_count + p_dwellings,
            vacant_count = vacant_count + p_vacant,
            household_count = household_count + p_households,
            resident_count = resident_count + p_residents,
            unassigned_count = unassigned_count + p_unassigned,
            changed_xid = pg_current_xact_id()::text::bigint,
            changed_at = now()
        WHERE community_code = p_community
        RETURNING version INTO v;
        IF FOUND THEN
            RETURN v;
        END IF;
        INSERT INTO community_clock (community_code) VALUES (p_community) ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;

CREATE FUNCTION audit_hash(
    p_previous bytea, p_community char(12), p_seq bigint, p_at timestamptz, p_actor uuid, p_actor_name text,
    p_device uuid, p_action text, p_subjects jsonb, p_digest bytea, p_request text
) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(
        coalesce(encode(p_previous, 'hex'), '') || '|' || p_community || '|' || p_seq || '|'
        || (extract(epoch FROM p_at) * 1000000)::bigint || '|' || coalesce(p_actor::text, '') || '|'
        || coalesce(p_actor_name, '') || '|' || coalesce(p_device::text, '') || '|' || p_action || '|'
        || p_subjects::text || '|' || coalesce(encode(p_digest, 'hex'), '') || '|' || coalesce(p_request, ''),
        'UTF8'))
$$;

CREATE FUNCTION append_audit(
    p_community char(12), p_actor uuid, p_actor_name text, p_device uuid, p_action text,
    p_subjects jsonb, p_payload text, p_request text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint;
    v_previous bytea;
    v_digest bytea := CASE WHEN p_payload IS NULL THEN NULL ELSE sha256(convert_to(p_payload, 'UTF8')) END;
    v_hash bytea;
BEGIN
    LOOP
        SELECT seq + 1, hash INTO v_seq, v_previous FROM audit_chain
        WHERE community_code = p_community FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO audit_chain (community_code) VALUES (p_community) ON CONFLICT DO NOTHING;
    END LOOP;
    v_hash := audit_hash(
        v_previous, p_community, v_seq, now(), p_actor, p_actor_name, p_device, p_action, p_subjects, v_digest,
        p_request);
    INSERT INTO audit_entry (
        community_code, seq, at, actor_id, actor_name, device_id, action, subjects, digest, request_id, hash
    ) VALUES (
        p_community, v_seq, now(), p_actor, p_actor_name, p_device, p_action, p_subjects, v_digest, p_request, v_hash
    );
    UPDATE audit_chain SET seq = v_seq, hash = v_hash WHERE community_code = p_community;
    RETURN v_seq;
END
$$;

-- Which of an actor's records about households were made under an assignment: null is in order, else why
-- somebody should look. Work recorded while the assignment stood is in order even when it arrives later.
CREATE FUNCTION assignment_flag(
    p_community char(12), p_actor uuid, p_area uuid, p_holder uuid, p_recorded_at timestamptz
) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_area IS NOT NULL AND p_holder = p_actor THEN NULL
        ELSE coalesce(
            (SELECT CASE
                WHEN bool_or(p_recorded_at BETWEEN a.started_at AND coalesce(a.ended_at, 'infinity')) THEN ''
                ELSE 'epoch_old' END
             FROM assignment a
             WHERE a.community_code = p_community AND a.area_id = p_area AND a.account_id = p_actor
             HAVING count(*) > 0),
            'not_assigned')
    END
$$;

CREATE FUNCTION screening_record_door_visits(
    p_community char(12), p_version bigint, p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean,
    p_visits jsonb
) RETURNS TABLE (visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_verdicts text[];
    v_reasons text[];
    v_areas uuid[];
    v_rounds uuid[];
    v_persons int[];
    v_symptoms int[];
BEGIN
    -- judge
    WITH visits AS (
        SELECT * FROM jsonb_to_recordset(p_visits)
            AS v(id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb)
    ), strangers AS (
        SELECT v.id FROM visits v
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(resident_id uuid)
        LEFT JOIN resident r ON r.community_code = p_community AND r.id = p.resident_id
        WHERE r.id IS NULL
        GROUP BY v.id
    ), judged AS (
        SELECT v.id, d.responsibility_area_id AS area_id,
            CASE
                WHEN h.id IS NULL THEN 'household_not_found'
                WHEN r.id IS NULL THEN 'round_not_found'
                WHEN s.id IS NOT NULL THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN r.status = 'closed' AND v.recorded_at > r.closed_at THEN 'round_closed'
                WHEN NOT p_is_desk AND a.holder_id IS DISTINCT FROM p_actor THEN nullif(assignment_flag(
                    p_community, p_actor, d.responsibility_area_id, a.holder_id, v.recorded_at), '')
            END AS flag
        FROM visits v
        LEFT JOIN household h ON h.community_code = p_community AND h.id = v.household_id
        LEFT JOIN dwelling d ON d.community_code = p_community AND d.id = h.dwelling_id
        LEFT JOIN responsibility_area a
            ON a.community_code = p_community AND a.id = d.responsibility_area_id
        LEFT JOIN screening_round r ON r.id = v.round_id AND p_community LIKE r.division_prefix || '%'
        LEFT JOIN strangers s ON s.id = v.id
    )
    SELECT array_agg(id), array_agg(area_id), array_agg(coalesce(refusal, flag)),
        array_agg(CASE WHEN refusal IS NOT NULL THEN 'rejected' WHEN flag IS NOT NULL THEN 'flagged'
            ELSE 'accepted' END)
    INTO v_ids, v_areas, v_reasons, v_verdicts
    FROM judged;

    -- the visits themselves
    INSERT INTO door_visit (
        community_code, id, round_id, household_id, responsibility_area_id, epoch, outcome, persons, note_sealed,
        actor_id, actor_name, device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_community, v.id, v.round_id, v.household_id, j.area_id, v.epoch, v.outcome, v.persons,
        decode(v.note, 'base64'), p_actor, p_actor_name, p_device, v.recorded_at, now(), j.reason, v.delete_by,
        p_version
    FROM jsonb_to_recordset(p_visits) AS v(
        id uuid, household_id uuid, round_id uuid, epoch int, outcome text, recorded_at timestamptz, persons jsonb,
        note text, delete_by date)
    JOIN unnest(v_ids, v_areas, v_verdicts, v_reasons) AS j(id, area_id, verdict, reason) USING (id)
    WHERE j.verdict <> 'rejected'
    ON CONFLICT DO NOTHING;

    -- the newest answer for each person: being here is what counts as screened
    WITH given AS (
        SELECT DISTINCT ON (v.round_id, p.resident_id)
            v.round_id, p.resident_id, v.household_id, v.id AS visit_id, p.status, p.temperature_c, p.symptoms,
            p.risk_area, v.recorded_at, v.delete_by
        FROM jsonb_to_recordset(p_visits) AS v(
            id uuid, household_id uuid, round_id uuid, recorded_at timestamptz, persons jsonb, delete_by date)
        JOIN unnest(v_ids, v_verdicts) AS j(id, verdict) USING (id)
        CROSS JOIN LATERAL jsonb_to_recordset(v.persons) AS p(
            resident_id uuid, status text, temperature_c float8, symptoms text[], risk_area boolean)
        WHERE j.verdict <> 'rejected' AND p.status <> 'unknown'
        ORDER BY v.round_id, p.resident_id, v.recorded_at DESC, v.id DESC
    ), before AS (
        SELECT c.round_id, c.resident_id, c.status FROM person_check c
        JOIN given g ON c.community_code = p_community AND c.round_id = g.round_id AND c.resident_id = g.resident_id
    ), put AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, recorded_at, delete_by, version)
        SELECT p_community, round_id, resident_id, household_id, g.visit_id, status, temperature_c,
            coalesce(symptoms, '{}'), risk_area, recorded_at, delete_by, p_version
        FROM given g
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            household_id = excluded.household_id, visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
        WHERE (excluded.recorded_at, excluded.visit_id) > (c.recorded_at, c.visit_id)
        RETURNING c.round_id, c.resident_id, c.status
    ), moved AS (
        SELECT put.round_id,
            count(*) FILTER (WHERE before.resident_id IS NULL) AS persons,
            count(*) FILTER (WHERE put.status = 'symptoms') - count(*) FILTER (WHERE before.status = 'symptoms')
                AS symptoms
        FROM put LEFT JOIN before USING (round_id, resident_id)
        GROUP BY put.round_id
    )
    SELECT array_agg(round_id), array_agg(persons), array_agg(symptoms) INTO v_rounds, v_persons, v_symptoms
    FROM moved;

    -- where each household now stands: read from all its visits, so the order of arrival does not matter
    WITH touched AS (
        SELECT v.round_id, v.household_id, count(*) AS visits
        FROM jsonb_to_recordset(p_visits) AS v(id uuid, household_id uuid, round_id uuid)
        JOIN unnest(v_ids, v_verdicts) AS j(id, verdict) USING (id)
        WHERE j.verdict <> 'rejected'
        GROUP BY v.round_id, v.household_id
    ), after AS (
        SELECT t.round_id, t.household_id, t.visits, f.attempts, f.last_id, f.last_at, f.last_by,
            CASE
                WHEN f.settled IN ('answered_all', 'answered_part') THEN
                    CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                ELSE coalesce(f.settled, f.last_outcome)
            END AS outcome
        FROM touched t
        JOIN household h ON h.community_code = p_community AND h.id = t.household_id
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE v.outcome = 'no_answer') AS attempts,
                (array_agg(v.outcome ORDER BY v.recorded_at DESC, v.id DESC)
                    FILTER (WHERE v.outcome IN ('answered_all', 'answered_part', 'vacant', 'wrong_address')))[1]
                    AS settled,
                (array_agg(v.outcome ORDER BY v.recorded_at DESC, v.id DESC))[1] AS last_outcome,
                (array_agg(v.id ORDER BY v.recorded_at DESC, v.id DESC))[1] AS last_id,
                (array_agg(v.actor_name ORDER BY v.recorded_at DESC, v.id DESC))[1] AS last_by,
                max(v.recorded_at) AS last_at
            FROM door_visit v
            WHERE v.community_code = p_community AND v.household_id = t.household_id AND v.round_id = t.round_id
        ) f
        CROSS JOIN LATERAL (
            SELECT count(*) AS done FROM person_check c
            JOIN resident r ON r.community_code = p_community AND r.id = c.resident_id AND NOT r.is_gone
            WHERE c.community_code = p_community AND c.household_id = t.household_id AND c.round_id = t.round_id
        ) c
    ), before AS (
        SELECT s.round_id, s.household_id, s.outcome FROM household_screening s
        JOIN touched t ON s.community_code = p_community AND s.round_id = t.round_id
            AND s.household_id = t.household_id
    ), put AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, last_visit_id, last_at, last_by, version)
        SELECT p_community, round_id, household_id, outcome, attempts, last_id, last_at, last_by, p_version FROM after
        ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
            outcome = excluded.outcome, attempts = excluded.attempts, last_visit_id = excluded.last_visit_id,
            last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
    ), moves AS (
        SELECT round_id, outcome, 1 AS n FROM after
        UNION ALL SELECT round_id, outcome, -1 FROM before
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, answered_all, answered_part, no_answer, refused, vacant, wrong_address, unsafe,
        persons_done, persons_symptoms, visit_count)
    SELECT p_community, m.round_id,
        coalesce(sum(n) FILTER (WHERE outcome = 'answered_all'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'answered_part'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'no_answer'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'refused'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'vacant'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'wrong_address'), 0),
        coalesce(sum(n) FILTER (WHERE outcome = 'unsafe'), 0),
        coalesce(max(p.persons), 0), coalesce(max(p.symptoms), 0),
        (SELECT sum(visits) FROM touched WHERE touched.round_id = m.round_id)
    FROM moves m
    LEFT JOIN unnest(v_rounds, v_persons, v_symptoms) AS p(round_id, persons, symptoms) USING (round_id)
    GROUP BY m.round_id
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
    UPDATE responsibility_area SET version = p_version
    WHERE community_code = p_community AND id = ANY (v_areas) AND version < p_version;

    RETURN QUERY SELECT * FROM unnest(v_ids, v_verdicts, v_reasons);
END
$$;

CREATE FUNCTION care_record_visits(
    p_community char(12), p_version bigint, p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean,
    p_visits jsonb
) RETURNS TABLE (visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[];
    v_verdicts text[];
    v_reasons text[];
    v_areas uuid[];
BEGIN
    WITH judged AS (
        SELECT v.id, d.responsibility_area_id AS area_id,
            CASE
                WHEN h.id IS NULL THEN 'household_not_found'
                WHEN v.resident_id IS NOT NULL AND r.id IS NULL THEN 'resident_not_found'
            END AS refusal,
            CASE
                WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                WHEN NOT p_is_desk AND a.holder_id IS DISTINCT FROM p_actor THEN nullif(assignment_flag(
                    p_community, p_actor, d.responsibility_area_id, a.holder_id, v.recorded_at), '')
            END AS flag
        FROM jsonb_to_recordset(p_visits)
            AS v(id uuid, household_id uuid, resident_id uuid, recorded_at timestamptz)
        LEFT JOIN household h ON h.community_code = p_community AND h.id = v.household_id
        LEFT JOIN dwelling d ON d.community_code = p_community AND d.id = h.dwelling_id
        LEFT JOIN responsibility_area a
            ON a.community_code = p_community AND a.id = d.responsibility_area_id
        LEFT JOIN resident r ON r.community_code = p_community AND r.id = v.resident_id
    )
    SELECT array_agg(id), array_agg(area_id), array_agg(coalesce(refusal, flag)),
        array_agg(CASE WHEN refusal IS NOT NULL THEN 'rejected' WHEN flag IS NOT NULL THEN 'flagged'
            ELSE 'accepted' END)
    INTO v_ids, v_areas, v_reasons, v_verdicts
    FROM judged;

    INSERT INTO care_visit (
        community_code, id, household_id, resident_id, condition, needs, note_sealed, next_on, actor_id, actor_name,
        device_id, recorded_at, received_at, flag_code, delete_by, version)
    SELECT p_community, v.id, v.household_id, v.resident_id, v.condition, coalesce(v.needs, '{}'),
        decode(v.note, 'base64'), v.next_on, p_actor, p_actor_name, p_device, v.recorded_at, now(), j.reason,
        v.delete_by, p_version
    FROM jsonb_to_recordset(p_visits) AS v(
        id uuid, household_id uuid, resident_id uuid, condition text, needs text[], note text, next_on date,
        recorded_at timestamptz, delete_by date)
    JOIN unnest(v_ids, v_verdicts, v_reasons) AS j(id, verdict, reason) USING (id)
    WHERE j.verdict <> 'rejected'
    ON CONFLICT DO NOTHING;

    INSERT INTO care_plan AS p (
        community_code, household_id, last_visit_id, resident_id, condition, needs, last_at, next_on, version)
    SELECT DISTINCT ON (v.household_id)
        p_community, v.household_id, v.id, v.resident_id, v.condition, coalesce(v.needs, '{}'), v.recorded_at,
        v.next_on, p_version
    FROM jsonb_to_recordset(p_visits) AS v(
        id uuid, household_id uuid, resident_id uuid, condition text, needs text[], next_on date,
        recorded_at timestamptz)
    JOIN unnest(v_ids, v_verdicts) AS j(id, verdict) USING (id)
    WHERE j.verdict <> 'rejected'
    ORDER BY v.household_id, v.recorded_at DESC, v.id DESC
    ON CONFLICT (community_code, household_id) DO UPDATE SET
        last_visit_id = excluded.last_visit_id, resident_id = excluded.resident_id, condition = excluded.condition,
        needs = excluded.needs, last_at = excluded.last_at, next_on = excluded.next_on, version = excluded.version
    WHERE (excluded.last_at, excluded.last_visit_id) > (p.last_at, p.last_visit_id);

    UPDATE responsibility_area SET version = p_version
    WHERE community_code = p_community AND id = ANY (v_areas) AND version < p_version;

    RETURN QUERY SELECT * FROM unnest(v_ids, v_verdicts, v_reasons);
END
$$;

-- A push's commands of one kind for one community. Each element of p_commands is the command's payload with
-- id, recorded_at and epoch; p_name 'refused' is for those refused before they came here, each with its
-- refusal. An id known here or under "no community" is answered as it was the first time.
CREATE FUNCTION take_commands(
    p_community char(12), p_actor uuid, p_actor_name text, p_device uuid, p_is_desk boolean, p_request text,
    p_name text, p_commands jsonb
) RETURNS TABLE (command_id uuid, answer text, code text, detail text, is_repeat boolean, confirmed int)
LANGUAGE plpgsql AS $$
DECLARE
    v_version bigint;
    v_fresh jsonb;
    v_ids uuid[];
    v_verdicts text[];
    v_reasons text[];
    v_count int;
    v_confirmed int;
    v_today date := (now() AT TIME ZONE interval '8 hours')::date;
BEGIN
    v_version := advance_clock(p_community);
    SELECT jsonb_agg(c.body) INTO v_fresh
    FROM jsonb_array_elements(p_commands) AS c(body)
    WHERE NOT EXISTS (
        SELECT FROM sync_command s
        WHERE s.community_code IN (p_community, '000000000000') AND s.id = (c.body ->> 'id')::uuid);

    IF v_fresh IS NOT NULL THEN
        IF p_name = 'screening.record_door_visit' THEN
            SELECT array_agg(visit_id), array_agg(verdict), array_agg(reason) INTO v_ids, v_verdicts, v_reasons
            FROM screening_record_door_visits(
                p_community, v_version, p_actor, p_actor_name, p_device, p_is_desk, v_fresh);
        ELSIF p_name = 'care.record_visit' THEN
            SELECT array_agg(visit_id), array_agg(verdict), array_agg(reason) INTO v_ids, v_verdicts, v_reasons
            FROM care_record_visits(
                p_community, v_version, p_actor, p_actor_name, p_device, p_is_desk, v_fresh);
        ELSE
            SELECT array_agg((c ->> 'id')::uuid), array_agg('rejected'::text), array_agg(c ->> 'refusal')
            INTO v_ids, v_verdicts, v_reasons
            FROM jsonb_array_elements(v_fresh) AS c;
        END IF;

        INSERT INTO sync_command (
            community_code, id, name, account_id, device_id, status, code, detail, recorded_at, received_at)
        SELECT p_community, j.id, p_name, p_actor, p_device, j.verdict, j.reason, c.body ->> 'refusal_detail',
            (c.body ->> 'recorded_at')::timestamptz, now()
        FROM unnest(v_ids, v_verdicts, v_reasons) AS j(id, verdict, reason)
        JOIN jsonb_array_elements(v_fresh) AS c(body) ON (c.body ->> 'id')::uuid = j.id;

        v_count := (SELECT count(*) FROM unnest(v_verdicts) AS v(verdict) WHERE v.verdict <> 'rejected');
        IF v_count > 0 THEN
            INSERT INTO confirmed_day AS d (community_code, account_id, day, confirmed_count)
            VALUES (p_community, p_actor, v_today, v_count)
            ON CONFLICT (community_code, account_id, day)
                DO UPDATE SET confirmed_count = d.confirmed_count + excluded.confirmed_count
            RETURNING d.confirmed_count INTO v_confirmed;
        END IF;
        PERFORM append_audit(
            p_community, p_actor, p_actor_name, p_device, p_name, to_jsonb(v_ids), v_fresh::text, p_request);
    END IF;
    IF v_confirmed IS NULL THEN
        SELECT d.confirmed_count INTO v_confirmed FROM confirmed_day d
        WHERE d.community_code = p_community AND d.account_id = p_actor AND d.day = v_today;
    END IF;

    RETURN QUERY
    SELECT s.id, s.status::text, s.code::text, s.detail::text, v_ids IS NULL OR s.id <> ALL (v_ids), coalesce(v_confirmed, 0)
    FROM jsonb_array_elements(p_commands) AS c(body)
    JOIN sync_command s
        ON s.community_code IN (p_community, '000000000000') AND s.id = (c.body ->> 'id')::uuid;
END
$$;
