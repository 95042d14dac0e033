-- As in 0038, and: a visit to a household that was closed before it was recorded is flagged, if by nothing else.
CREATE OR REPLACE FUNCTION screening_record_door_visits(
    p_communities bpchar[], p_versions bigint[], p_actors uuid[], p_actor_names text[], p_devices uuid[],
    p_are_desks boolean[], p_visits jsonb
) RETURNS TABLE (group_no int, visit_id uuid, verdict text, reason text) LANGUAGE plpgsql AS $$
DECLARE
    -- of visits, in the batch's order
    v_groups int[];
    v_ids uuid[];
    v_households uuid[];
    v_rounds uuid[];
    v_outcomes text[];
    v_recorded timestamptz[];
    v_ends date[];
    v_refused boolean[];
    v_reasons text[];
    v_areas uuid[];
    v_before text[];
    v_asked_at timestamptz[];
    v_asked_by text[];
    v_missed int[];
    v_living int[];
    v_are_closed boolean[];
    -- not the first visit of its household in the round, or (for all of them) one household visited twice in the batch
    v_are_again boolean[];
    -- of people: which visit said it, what it said, what stood
    v_said_at int[];
    v_residents uuid[];
    v_homes uuid[];
    v_are_gone boolean[];
    v_statuses text[];
    v_temperatures float8[];
    v_symptoms jsonb[];
    v_risks boolean[];
    v_stood text[];
    v_are_newer boolean[];
    v_is_merged boolean;
    v_is_unasked boolean;
    v_is_elsewhere boolean;
    v_group int;
    v_elsewhere_groups int[];
    v_elsewhere_rounds uuid[];
    v_elsewhere uuid[];
BEGIN
    -- judge, in the batch's order
    WITH v AS MATERIALIZED (
        SELECT * FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (
            g int, id uuid, household_id uuid, given_household_id uuid, round_id uuid, recorded_at timestamptz,
            outcome text, persons jsonb, asks text, answer_flag text, form_version int, delete_by date
        )) WITH ORDINALITY AS v(
            g, id, household_id, given_household_id, round_id, recorded_at, outcome, persons, asks, answer_flag,
            form_version, delete_by, n)
    ), p AS MATERIALIZED (
        SELECT v.n, p.resident_id, p.status, p.temperature_c, p.symptoms, p.risk_area,
            known.id IS NULL AS is_stranger, known.merged_into_id IS NOT NULL AND p.given_id IS NULL AS is_merged,
            CASE WHEN p.given_id IS NULL THEN known.household_id ELSE root.household_id END AS home,
            CASE WHEN p.given_id IS NULL THEN known.is_gone ELSE root.is_gone END AS is_gone,
            b.status AS stood, (v.recorded_at, v.id) > (b.recorded_at, b.visit_id) AS is_newer,
            v.household_id
        FROM v
        CROSS JOIN LATERAL (
            -- a column of its own: row-level security keeps an index from what it takes for a function's doing
            SELECT coalesce(q.given_id, q.resident_id) AS said_id, q.* FROM jsonb_to_recordset(v.persons) AS q(
                resident_id uuid, given_id uuid, status text, temperature_c float8, symptoms jsonb, risk_area boolean)
            OFFSET 0
        ) p
        LEFT JOIN LATERAL (
            SELECT m.id, m.merged_into_id, m.household_id, m.is_gone FROM resident m
            WHERE m.community_code = p_communities[v.g] AND m.id = p.said_id
                AND (m.household_id IN (v.household_id, v.given_household_id) OR EXISTS (
                    SELECT FROM residence l
                    WHERE l.community_code = m.community_code AND l.resident_id = m.id
                        AND l.household_id IN (v.household_id, v.given_household_id) AND l.kind = 'lives_here'))
            OFFSET 0
        ) known ON true
        LEFT JOIN LATERAL (
            SELECT r.household_id, r.is_gone FROM resident r
            WHERE r.community_code = p_communities[v.g] AND r.id = p.resident_id AND p.given_id IS NOT NULL
            OFFSET 0
        ) root ON true
        LEFT JOIN LATERAL (
            SELECT c.status, c.recorded_at, c.visit_id FROM person_check c
            WHERE c.community_code = p_communities[v.g] AND c.round_id = v.round_id
                AND c.resident_id = p.resident_id
            OFFSET 0
        ) b ON true
    ), pairs AS MATERIALIZED (
        SELECT EXISTS (SELECT FROM v GROUP BY household_id, round_id HAVING count(*) > 1) AS are_there
    )
    SELECT j.*, s.* INTO v_groups, v_ids, v_households, v_rounds, v_outcomes, v_recorded, v_ends, v_areas, v_reasons,
        v_refused, v_before, v_asked_at, v_asked_by, v_missed, v_living, v_are_closed, v_are_again, v_is_merged,
        v_is_unasked, v_said_at, v_residents, v_homes, v_are_gone, v_statuses, v_temperatures, v_symptoms, v_risks,
        v_stood, v_are_newer, v_is_elsewhere
    FROM (
        SELECT array_agg(j.g), array_agg(j.id), array_agg(j.household_id), array_agg(j.round_id),
            array_agg(j.outcome), array_agg(j.recorded_at), array_agg(j.delete_by), array_agg(j.area_id),
            array_agg(coalesce(
                j.refusal, j.flag, CASE WHEN j.is_second THEN 'asked_again' END, j.answer_flag, j.closed)),
            array_agg(j.refusal IS NOT NULL), array_agg(j.before), array_agg(j.asked_at), array_agg(j.asked_by),
            array_agg(j.missed_parts), array_agg(j.resident_count), array_agg(j.is_closed),
            array_agg(j.before IS NOT NULL OR j.has_pairs), bool_or(j.is_merged), bool_or(j.is_unasked)
        FROM (
            SELECT v.n, v.g, v.id, v.household_id, v.round_id, v.outcome, v.recorded_at, v.delete_by, place.area_id,
                place.is_merged OR s.is_merged AS is_merged,
                CASE
                    WHEN place.household_id IS NULL THEN 'household_not_found'
                    WHEN r.id IS NULL THEN 'round_not_found'
                    WHEN s.has_stranger THEN 'resident_not_found'
                END AS refusal,
                CASE
                    WHEN v.recorded_at > now() + interval '15 minutes' THEN 'clock_skew'
                    WHEN r.status = 'closed' AND v.recorded_at > r.closed_at THEN 'round_closed'
                    WHEN v.recorded_at < r.begins_at THEN 'round_not_begun'
                    WHEN NOT p_are_desks[v.g] AND place.holder_id IS DISTINCT FROM p_actors[v.g] THEN nullif(
                        assignment_flag(
                            p_communities[v.g], p_actors[v.g], place.area_id, place.holder_id, v.recorded_at),
                        '')
                END AS flag,
                -- all of them answered for and asked on this day already: asking again needs a reason
                v.asks IS NOT NULL AND (v.asks = 'second' OR b.outcome = 'answered_all'
                    AND shanghai_midnight(b.asked_at) = shanghai_midnight(v.recorded_at)) AS is_second,
                v.answer_flag,
                CASE WHEN v.recorded_at > place.closed_at THEN 'household_closed' END AS closed,
                r.has_form AND v.form_version IS NULL AND v.outcome IN ('answered_all', 'answered_part')
                    AS is_unasked,
                b.outcome AS before, b.asked_at, b.asked_by, b.missed_parts, place.resident_count, place.is_closed,
                (SELECT pairs.are_there FROM pairs) AS has_pairs
            FROM v
            LEFT JOIN LATERAL (
                SELECT h.id AS household_id, d.responsibility_area_id AS area_id, a.holder_id,
                    h.merged_into_id IS NOT NULL AS is_merged, h.resident_count, h.is_closed,
                    CASE WHEN h.is_closed AND h.merged_into_id IS NULL THEN h.updated_at END AS closed_at
                FROM household h
                JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
                LEFT JOIN responsibility_area a
                    ON a.community_code = h.community_code AND a.id = d.responsibility_area_id
                WHERE h.community_code = p_communities[v.g] AND h.id = v.household_id
                OFFSET 0
            ) place ON true
            LEFT JOIN LATERAL (
                -- midnight in Shanghai of its first day, in words that need no call
                SELECT q.id, q.status, q.closed_at,
                    q.starts_on::timestamp AT TIME ZONE interval '8 hours' AS begins_at, q.revision > 0 AS has_form
                FROM screening_round q
                WHERE q.id = v.round_id AND p_communities[v.g] LIKE q.division_prefix || '%'
                    AND q.status <> 'draft' AND q.rhythm = 'once'
                OFFSET 0
            ) r ON true
            LEFT JOIN (
                SELECT p.n, bool_or(p.is_stranger) AS has_stranger, bool_or(p.is_merged) AS is_merged FROM p GROUP BY 1
            ) s ON s.n = v.n
            LEFT JOIN LATERAL (
                SELECT s.outcome, s.asked_at, s.asked_by, s.missed_parts FROM household_screening s
                WHERE s.community_code = p_communities[v.g] AND s.round_id = v.round_id
                    AND s.household_id = v.household_id
                OFFSET 0
            ) b ON true
            ORDER BY v.n
        ) j
    ) j, (
        SELECT array_agg(n), array_agg(resident_id), array_agg(home), array_agg(is_gone), array_agg(status),
            array_agg(temperature_c), array_agg(symptoms), array_agg(risk_area), array_agg(stood),
            array_agg(is_newer), bool_or(home <> household_id)
        FROM p
        -- being here, or away, is what counts as screened
        WHERE status <> 'unknown'
    ) s;

    IF v_is_merged THEN
        RETURN QUERY SELECT * FROM screening_record_door_visits(
            p_communities, p_versions, p_actors, p_actor_names, p_devices, p_are_desks,
            screening_put_right(p_communities, p_visits));
        FOR v_group IN SELECT DISTINCT unnest(v_groups) LOOP
            PERFORM screening_credit_merged(p_communities[v_group], p_versions[v_group], v_ids);
        END LOOP;
        RETURN;
    END IF;

    IF v_is_unasked THEN
        p_visits := visits_held_to_forms(p_visits);
        SELECT array_agg(coalesce(u.reason, u.answer_flag) ORDER BY n) INTO v_reasons
        FROM ROWS FROM (jsonb_to_recordset(p_visits) AS (answer_flag text), unnest(v_reasons))
            WITH ORDINALITY AS u(answer_flag, reason, n);
    END IF;

    WITH v AS MATERIALIZED (
        SELECT * FROM ROWS FROM (
            jsonb_to_recordset(p_visits) AS (
                given_household_id uuid, epoch int, persons jsonb, note text, again_reason text, self_report_id uuid),
            unnest(v_groups), unnest(v_ids), unnest(v_households), unnest(v_rounds), unnest(v_outcomes),
            unnest(v_recorded), unnest(v_ends), unnest(v_areas), unnest(v_reasons), unnest(v_refused),
            unnest(v_living), unnest(v_are_closed), unnest(v_are_again)
        ) WITH ORDINALITY AS v(
            given_household_id, epoch, persons, note, again_reason, self_report_id, g, id, household_id, round_id,
            outcome, recorded_at, delete_by, area_id, reason, refused, living, is_closed, is_again, n)
        WHERE NOT v.refused
    ), put_visits AS (
        INSERT INTO door_visit (
            community_code, id, round_id, household_id, given_household_id, responsibility_area_id, epoch, outcome,
            persons, note_sealed, actor_id, actor_name, device_id, recorded_at, received_at, flag_code, again_reason,
            self_report_id, delete_by, version)
        SELECT p_communities[v.g], v.id, v.round_id, v.household_id, v.given_household_id, v.area_id, v.epoch,
            v.outcome, v.persons, decode(v.note, 'base64'), p_actors[v.g], p_actor_names[v.g], p_devices[v.g],
            v.recorded_at, now(), v.reason, v.again_reason, v.self_report_id, v.delete_by, p_versions[v.g]
        FROM v
        ON CONFLICT DO NOTHING
    ), given AS MATERIALIZED (
        -- the newest answer for each person
        SELECT DISTINCT ON (v_groups[u.n], v_rounds[u.n], u.resident_id)
            u.*, v_groups[u.n] AS g, v_rounds[u.n] AS round_id, v_households[u.n] AS household_id,
            v_ids[u.n] AS visit_id, v_recorded[u.n] AS recorded_at
        FROM unnest(
            v_said_at, v_residents, v_homes, v_are_gone, v_statuses, v_temperatures, v_symptoms, v_risks, v_stood,
            v_are_newer
        ) AS u(n, resident_id, home, is_gone, status, temperature_c, symptoms, risk_area, stood, is_newer)
        WHERE NOT v_refused[u.n]
        ORDER BY v_groups[u.n], v_rounds[u.n], u.resident_id, v_recorded[u.n] DESC, v_ids[u.n] DESC,
            u.status = 'symptoms' DESC
    ), put_first AS (
        INSERT INTO person_check (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_communities[g], round_id, resident_id, home, given.visit_id, status, temperature_c,
            CASE WHEN symptoms <> '[]' THEN ARRAY(SELECT jsonb_array_elements_text(symptoms)) ELSE '{}' END,
            risk_area, is_gone, recorded_at, v_ends[n], p_versions[g]
        FROM given WHERE stood IS NULL
    ), put_again AS (
        INSERT INTO person_check AS c (
            community_code, round_id, resident_id, household_id, visit_id, status, temperature_c, symptoms,
            risk_area, has_left, recorded_at, delete_by, version)
        SELECT p_communities[g], round_id, resident_id, home, given.visit_id, status, temperature_c,
            CASE WHEN symptoms <> '[]' THEN ARRAY(SELECT jsonb_array_elements_text(symptoms)) ELSE '{}' END,
            risk_area, is_gone, recorded_at, v_ends[n], p_versions[g]
        FROM given WHERE is_newer
        ON CONFLICT (community_code, round_id, resident_id) DO UPDATE SET
            visit_id = excluded.visit_id, status = excluded.status,
            temperature_c = excluded.temperature_c, symptoms = excluded.symptoms, risk_area = excluded.risk_area,
            recorded_at = excluded.recorded_at, delete_by = excluded.delete_by, version = excluded.version
    ), answered AS (
        SELECT n, count(*) AS persons FROM given
        WHERE stood IS NULL AND NOT is_gone AND home = household_id GROUP BY 1
    ), state AS MATERIALIZED (
        SELECT v.g, v.round_id, v.household_id, v.id, v.recorded_at,
            v.outcome LIKE 'answered%' AS is_asked, v.outcome = 'no_answer' AS is_miss,
            CASE
                WHEN v.outcome NOT LIKE 'answered%' THEN v.outcome
                WHEN coalesce(a.persons, 0) >= v.living THEN 'answered_all'
                WHEN coalesce(a.persons, 0) + (
                    SELECT count(*) FROM person_check k
                    WHERE k.community_code = p_communities[v.g] AND k.household_id = v.household_id
                        AND k.round_id = v.round_id AND NOT k.has_left) >= v.living THEN 'answered_all'
                ELSE 'answered_part'
            END AS outcome
        FROM v
        LEFT JOIN answered a USING (n)
        WHERE NOT v.is_again AND NOT v.is_closed
    ), put_states AS (
        INSERT INTO household_screening (
            community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
            last_at, last_by, version)
        SELECT p_communities[g], round_id, household_id, outcome, is_miss::int,
            CASE WHEN is_miss THEN 1 << day_part(recorded_at) ELSE 0 END, CASE WHEN is_asked THEN recorded_at END,
            CASE WHEN is_asked THEN p_actor_names[g] ELSE '' END, id, recorded_at, p_actor_names[g], p_versions[g]
        FROM state
    ), put_areas AS (
        -- the phones that carry these doors have something to fetch
        UPDATE responsibility_area a SET version = p_versions[u.g]
        FROM (SELECT DISTINCT v.g, v.area_id FROM v WHERE v.area_id IS NOT NULL) u
        WHERE a.community_code = p_communities[u.g] AND a.id = u.area_id AND a.version < p_versions[u.g]
    )
    INSERT INTO screening_tally AS t (
        community_code, round_id, visit_count, answered_all, answered_part, no_answer, refused, vacant, wrong_address,
        unsafe, persons_done, persons_symptoms, persons_symptoms_deleted)
    SELECT p_communities[m.g], m.round_id, sum(m.visits),
        count(*) FILTER (WHERE m.outcome = 'answered_all'), count(*) FILTER (WHERE m.outcome = 'answered_part'),
        count(*) FILTER (WHERE m.outcome = 'no_answer'), count(*) FILTER (WHERE m.outcome = 'refused'),
        count(*) FILTER (WHERE m.outcome = 'vacant'), count(*) FILTER (WHERE m.outcome = 'wrong_address'),
        count(*) FILTER (WHERE m.outcome = 'unsafe'), sum(m.persons), sum(m.symptoms), sum(m.again)
    FROM (
        SELECT v.g, v.round_id, count(*) AS visits, NULL AS outcome, 0 AS persons, 0 AS symptoms, 0 AS again
        FROM v GROUP BY 1, 2
        UNION ALL
        SELECT s.g, s.round_id, 0, s.outcome, 0, 0, 0 FROM state s
        UNION ALL
        SELECT p.g, p.round_id, 0, NULL,
            count(*) FILTER (WHERE p.stood IS NULL AND NOT p.is_gone),
            count(*) FILTER (WHERE p.status = 'symptoms' AND (p.stood IS NULL OR p.is_newer))
                - count(*) FILTER (WHERE p.stood = 'symptoms' AND p.is_newer),
            count(*) FILTER (WHERE p.status = 'symptoms' AND p.stood = 'answered' AND p.is_newer)
        FROM given p GROUP BY 1, 2
    ) m
    GROUP BY 1, 2
    ON CONFLICT (community_code, round_id) DO UPDATE SET
        answered_all = t.answered_all + excluded.answered_all,
        answered_part = t.answered_part + excluded.answered_part,
        no_answer = t.no_answer + excluded.no_answer,
        refused = t.refused + excluded.refused,
        vacant = t.vacant + excluded.vacant,
        wrong_address = t.wrong_address + excluded.wrong_address,
        unsafe = t.unsafe + excluded.unsafe,
        persons_done = t.persons_done + excluded.persons_done,
        -- whose symptoms are deleted and reported anew is one person still, as long as any deleted stand in the figure
        persons_symptoms = t.persons_symptoms + excluded.persons_symptoms
            - least(t.persons_symptoms_deleted, excluded.persons_symptoms_deleted),
        persons_symptoms_deleted = t.persons_symptoms_deleted
            - least(t.persons_symptoms_deleted, excluded.persons_symptoms_deleted),
        visit_count = t.visit_count + excluded.visit_count;

    -- where a household stands that is visited again: read from all its visits, so the order of arrival does not matter
    IF true = ANY (v_are_again) THEN
        WITH touched AS (
            SELECT v.g, v.round_id, v.household_id, max(v.before) AS before, max(v.asked_before) AS asked_before,
                max(v.asked_by) AS asked_by,
                max(v.recorded_at) FILTER (WHERE v.outcome IN ('answered_all', 'answered_part')) AS asked_at,
                coalesce(max(v.missed), 0)
                    | coalesce(bit_or(1 << day_part(v.recorded_at)) FILTER (WHERE v.outcome = 'no_answer'), 0) AS missed_parts
            FROM unnest(
                v_groups, v_households, v_rounds, v_recorded, v_outcomes, v_refused, v_are_again, v_before, v_asked_at,
                v_asked_by, v_missed
            ) AS v(g, household_id, round_id, recorded_at, outcome, refused, is_again, before, asked_before, asked_by, missed)
            WHERE v.is_again AND NOT v.refused
            GROUP BY v.g, v.round_id, v.household_id
        ), after AS (
            SELECT t.g, t.round_id, t.household_id, t.before, t.missed_parts, f.attempts, f.last_id, f.last_at,
                f.last_by, greatest(t.asked_before, t.asked_at) AS asked_at,
                CASE WHEN t.asked_before IS NULL OR t.asked_at >= t.asked_before THEN
                    CASE WHEN t.asked_at IS NULL THEN '' ELSE p_actor_names[t.g] END
                ELSE t.asked_by END AS asked_by, h.is_closed,
                CASE
                    WHEN h.is_closed THEN t.before
                    WHEN f.settled IN ('answered_all', 'answered_part') THEN
                        CASE WHEN c.done >= h.resident_count THEN 'answered_all' ELSE 'answered_part' END
                    ELSE coalesce(f.settled, f.last_outcome)
                END AS outcome
            FROM touched t
            CROSS JOIN LATERAL (
                SELECT k.resident_count, k.is_closed FROM household k
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
                        AND d.round_id = t.round_id AND d.verdict IS DISTINCT FROM 'set_aside'
                    ORDER BY d.recorded_at DESC, d.id DESC
                ) v
            ) f
            CROSS JOIN LATERAL (
                SELECT count(*) AS done
                FROM person_check k
                WHERE k.community_code = p_communities[t.g] AND k.household_id = t.household_id
                    AND k.round_id = t.round_id AND NOT k.has_left
            ) c
        ), put AS (
            INSERT INTO household_screening (
                community_code, round_id, household_id, outcome, attempts, missed_parts, asked_at, asked_by, last_visit_id,
                last_at, last_by, version)
            SELECT p_communities[g], round_id, household_id, outcome, attempts, missed_parts, asked_at,
                asked_by, last_id, last_at, last_by, p_versions[g]
            FROM after WHERE NOT is_closed
            ON CONFLICT (community_code, round_id, household_id) DO UPDATE SET
                outcome = excluded.outcome, attempts = excluded.attempts, missed_parts = excluded.missed_parts,
                asked_at = excluded.asked_at, asked_by = excluded.asked_by, last_visit_id = excluded.last_visit_id,
                last_at = excluded.last_at, last_by = excluded.last_by, version = excluded.version
        )
        UPDATE screening_tally t SET
            answered_all = t.answered_all + m.answered_all,
            answered_part = t.answered_part + m.answered_part,
            no_answer = t.no_answer + m.no_answer,
            refused = t.refused + m.refused,
            vacant = t.vacant + m.vacant,
            wrong_address = t.wrong_address + m.wrong_address,
            unsafe = t.unsafe + m.unsafe
        FROM (
            SELECT g, round_id,
                count(*) FILTER (WHERE outcome = 'answered_all') - count(*) FILTER (WHERE before = 'answered_all')
                    AS answered_all,
                count(*) FILTER (WHERE outcome = 'answered_part') - count(*) FILTER (WHERE before = 'answered_part')
                    AS answered_part,
                count(*) FILTER (WHERE outcome = 'no_answer') - count(*) FILTER (WHERE before = 'no_answer') AS no_answer,
                count(*) FILTER (WHERE outcome = 'refused') - count(*) FILTER (WHERE before = 'refused') AS refused,
                count(*) FILTER (WHERE outcome = 'vacant') - count(*) FILTER (WHERE before = 'vacant') AS vacant,
                count(*) FILTER (WHERE outcome = 'wrong_address') - count(*) FILTER (WHERE before = 'wrong_address')
                    AS wrong_address,
                count(*) FILTER (WHERE outcome = 'unsafe') - count(*) FILTER (WHERE before = 'unsafe') AS unsafe
            FROM after GROUP BY 1, 2
        ) m
        WHERE t.community_code = p_communities[m.g] AND t.round_id = m.round_id;
    END IF;

    IF p_visits @? '$[*].form_version' THEN
        PERFORM record_door_answers(p_communities, p_versions, v_refused, p_visits);
    END IF;

    IF p_visits @? '$[*].findings' THEN
        PERFORM follow_up_visits(p_communities, p_versions, p_actor_names, v_refused, p_visits);
    END IF;

    IF 'no_answer' = ANY (v_outcomes) OR EXISTS (
        SELECT FROM door_notice WHERE community_code = ANY (p_communities) AND closed_at IS NULL
    ) THEN
        PERFORM not_home_settle(
            p_communities, p_versions, array_agg(v.g), array_agg(v.round_id), array_agg(v.household_id))
        FROM unnest(v_groups, v_rounds, v_households, v_refused) AS v(g, round_id, household_id, refused)
        WHERE NOT v.refused;
    END IF;

    -- homes to which people have moved since they were asked
    IF v_is_elsewhere THEN
        SELECT array_agg(v_groups[u.n] ORDER BY u.k), array_agg(v_rounds[u.n] ORDER BY u.k),
            array_agg(u.home ORDER BY u.k)
        INTO v_elsewhere_groups, v_elsewhere_rounds, v_elsewhere
        FROM unnest(v_said_at, v_homes) WITH ORDINALITY AS u(n, home, k)
        WHERE NOT v_refused[u.n] AND u.home <> v_households[u.n];
        FOR nth IN 1 .. coalesce(array_length(v_elsewhere, 1), 0) LOOP
            PERFORM screening_restate_homes(p_communities[v_elsewhere_groups[nth]], p_versions[v_elsewhere_groups[nth]],
                v_elsewhere_rounds[nth:nth], v_elsewhere[nth:nth]);
            PERFORM touch_households(p_communities[v_elsewhere_groups[nth]], p_versions[v_elsewhere_groups[nth]],
                v_elsewhere[nth:nth]);
        END LOOP;
    END IF;

    RETURN QUERY
    SELECT u.g, u.id,
        CASE WHEN u.refused THEN 'rejected' WHEN u.reason IS NOT NULL THEN 'flagged' ELSE 'accepted' END, u.reason
    FROM unnest(v_groups, v_ids, v_refused, v_reasons) AS u(g, id, refused, reason);
END
$$;
