//! How a call reaches one target after the other, told as scripts.

use expect_test::{Expect, expect};
use handoff_core::call::{LastResort, Mode, Policy};
use handoff_core::route::{Acceptance, Joining};
use handoff_core::time::CallTime;

use crate::harness::{Harness, policy, routes};

/// What happened from the trigger on, with targets `support`, `desk` (both need a key) and `room`, a
/// conference.
fn check(script: &str, expected: Expect) {
    check_under(three(), script, expected);
}

fn three() -> Policy {
    Policy {
        routes: routes(&[
            ("support", Acceptance::Key, Joining::Dial),
            ("desk", Acceptance::Key, Joining::Dial),
            ("room", Acceptance::Key, Joining::Conference),
        ]),
        ..policy()
    }
}

fn only(name: &str, acceptance: Acceptance, joining: Joining) -> Policy {
    Policy {
        routes: routes(&[(name, acceptance, joining)]),
        ..policy()
    }
}

fn check_under(policy: Policy, script: &str, expected: Expect) {
    let mut harness = Harness::under(policy);
    harness.run("+01.000 request \"operator\"");
    harness.out.clear();
    harness.run(script);
    expected.assert_eq(&harness.out);
}

#[test]
fn a_voicemail_answers_and_the_next_target_is_tried() {
    check(
        r#"
        +01.100 settled 1 accepted
        +02.000 leg ringing 1 support
        +08.000 leg answered 1 support
        +20.000 leg completed 1 support
        +20.100 dial not-bridged 1 support
        +20.150 ask-next 1 support
        +21.000 leg ringing 1 desk
        +24.000 leg answered 1 desk
        +26.000 leg accepted 1 desk
        +50.000 dial bridged 1 desk
        +50.100 ask-next 1 desk
        +50.200 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +02.000  leg         human's phone rings (support)
            +08.000  leg         human answered (support)
            +20.000  leg         human's leg over (support)
            +20.100  dial        answered and not taken (support)
            +20.150  < next: try desk
            +21.000  leg         human's phone rings (desk)
            +24.000  leg         human answered (desk)
            +26.000  leg         human took the call (desk)
            +28.000  leg         caller and human talk (desk)
            +50.000  dial        over after caller and human talked (desk)
            +50.000  watch       caller and human were parted within two minutes
            +50.100  < next: hang up
            +50.200  ended       bridged
        "#]],
    );
}

#[test]
fn a_human_who_only_answered_does_not_count_as_having_taken_the_call() {
    check(
        r#"
        +01.100 settled 1 accepted
        +02.000 leg ringing 1 support
        +08.000 leg answered 1 support
        +12.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +02.000  leg         human's phone rings (support)
            +08.000  leg         human answered (support)
            +12.000  ended       caller_hung_up
        "#]],
    );
}

/// Carriers tell of the two in any order, and of the dial not at all or too late.
#[test]
fn a_phone_that_stops_as_the_caller_hangs_up_was_not_left_unanswered() {
    check(
        r#"
        +01.100 settled 1 accepted
        +02.000 leg ringing 1 support
        +04.000 leg completed 1 support
        +04.010 completed
        +04.020 dial no-answer 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +02.000  leg         human's phone rings (support)
            +04.000  leg         human's leg over (support)
            +04.010  ended       caller_hung_up
            +04.019  ! event_after_end
        "#]],
    );
}

#[test]
fn when_all_fail_a_call_back_is_promised_and_the_last_failure_is_the_disposition() {
    check_under(
        Policy {
            routes: routes(&[
                ("support", Acceptance::Key, Joining::Dial),
                ("desk", Acceptance::Key, Joining::Dial),
            ]),
            ..policy()
        },
        r#"
        +01.100 settled 1 accepted
        +10.000 dial busy 1 support
        +10.050 ask-next 1 support
        +20.000 dial no-answer 1 desk
        +20.050 ask-next 1 desk
        +20.060 dial no-answer 1 desk
        +20.070 ask-next 1 desk
        +25.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +10.000  dial        busy (support)
            +10.050  < next: try desk
            +20.000  dial        nobody answered (desk)
            +20.000  promise     the caller was told that somebody calls back
            +20.050  < next: last resort
            +20.060  ! stale_handoff
            +20.070  < next: last resort
            +25.000  ended       no_answer
        "#]],
    );
}

#[test]
fn a_caller_who_leaves_a_message_is_not_forgotten() {
    check_under(
        Policy {
            last_resort: LastResort::Voicemail,
            ..only("support", Acceptance::Key, Joining::Dial)
        },
        r#"
        +01.100 settled 1 accepted
        +10.000 dial rejected 1 support
        +10.050 ask-next 1 support
        +30.000 message 12
        +30.010 message 12
        +31.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +10.000  dial        turned down (support)
            +10.050  < next: last resort
            +20.000  > inspect
            +30.000  message     the caller left one of 12 s
            +30.010  ! stale_handoff
            +31.000  ended       voicemail
        "#]],
    );
}

#[test]
fn a_message_of_which_the_carrier_tells_after_the_end_counts() {
    check_under(
        Policy {
            last_resort: LastResort::Voicemail,
            ..only("support", Acceptance::Key, Joining::Dial)
        },
        r#"
        +01.100 settled 1 accepted
        +10.000 dial busy 1 support
        +31.000 completed
        +33.000 message 12
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +10.000  dial        busy (support)
            +20.000  > inspect
            +31.000  > flush speech
            +33.000  message     the caller left one of 12 s
            +36.000  ended       voicemail
        "#]],
    );
}

#[test]
fn a_human_who_hangs_up_at_once_has_not_taken_the_call() {
    check(
        r#"
        +01.100 settled 1 accepted
        +08.000 leg answered 1 support
        +10.000 leg accepted 1 support
        +11.000 dial bridged 1 support
        +11.050 ask-next 1 support
        +13.000 leg accepted 1 desk
        +20.000 dial bridged 1 desk
        +20.050 ask-next 1 desk
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +08.000  leg         human answered (support)
            +10.000  leg         human took the call (support)
            +11.000  dial        hung up at once (support)
            +11.050  < next: try desk
            +13.000  leg         human took the call (desk)
            +15.000  leg         caller and human talk (desk)
            +20.000  dial        over after caller and human talked (desk)
            +20.000  watch       caller and human were parted within two minutes
            +20.050  < next: hang up
        "#]],
    );
}

#[test]
fn a_carrier_that_does_not_say_whether_the_two_were_joined_is_judged_by_the_key() {
    check(
        r#"
        +01.100 settled 1 accepted
        +08.000 leg answered 1 support
        +10.000 leg accepted 1 support
        +40.000 dial not-bridged 1 support
        +40.050 ask-next 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +08.000  leg         human answered (support)
            +10.000  leg         human took the call (support)
            +12.000  leg         caller and human talk (support)
            +40.000  dial        over after caller and human talked (support)
            +40.000  watch       caller and human were parted within two minutes
            +40.050  < next: hang up
        "#]],
    );
}

#[test]
fn the_end_of_an_earlier_target_told_late_or_twice_changes_nothing() {
    check(
        r#"
        +01.100 settled 1 accepted
        +10.000 dial no-answer 1 support
        +12.000 leg ringing 1 desk
        +12.500 dial no-answer 1 support
        +12.550 ask-next 1 support
        +13.000 leg accepted 1 desk
        +13.500 dial bridged 1 support
        +13.550 ask-next 1 support
        +14.000 leg completed 1 support
        +14.100 dial busy 1 stranger
        +14.150 ask-next 1 stranger
        +20.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +10.000  dial        nobody answered (support)
            +12.000  leg         human's phone rings (desk)
            +12.500  ! stale_handoff
            +12.550  < next: try desk
            +13.000  leg         human took the call (desk)
            +13.500  ! stale_handoff
            +13.550  < next: try desk
            +14.000  leg         human's leg over (support)
            +14.100  ! stale_handoff
            +14.150  < next: unknown
            +15.000  leg         caller and human talk (desk)
            +20.000  watch       caller and human were parted within two minutes
            +20.000  ended       bridged
        "#]],
    );
}

#[test]
fn news_of_a_later_target_closes_the_ones_before() {
    check(
        r#"
        +01.100 settled 1 accepted
        +12.000 leg ringing 1 desk
        +12.500 dial no-answer 1 support
        +12.550 ask-next 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +12.000  leg         human's phone rings (desk)
            +12.500  ! stale_handoff
            +12.550  < next: try desk
        "#]],
    );
}

#[test]
fn what_was_taken_and_fetched_is_followed() {
    check(
        r#"
        +01.100 settled 1 taken
        +01.300 fetched 1
        +01.350 fetched 1
        +05.000 leg accepted 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     taken, not followed yet
            +01.300  rewrite     followed, attempt 1: the carrier fetched the document
            +05.000  leg         human took the call (support)
        "#]],
    );
    check(
        r#"
        +01.100 fetched 1
        +01.300 settled 1 taken
        +05.000 leg accepted 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     followed, attempt 1: the carrier fetched the document
            +01.300  rewrite     taken, not followed yet
            +05.000  leg         human took the call (support)
        "#]],
    );
}

#[test]
fn what_was_taken_and_never_fetched_is_asked_for_once_more_and_then_given_up() {
    check(
        r#"
        +01.100 settled 1 taken
        +02.700 settled 2 taken
        +04.500 wait
        +06.000 fetched 2
        +07.000 leg accepted 2 support
        +12.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     taken, not followed yet
            +02.600  rewrite     requested, attempt 2
            +02.600  > rewrite, attempt 2: support, desk, room
            +02.700  rewrite     taken, not followed yet
            +04.200  handoff     given up: taken and never followed
            +06.000  rewrite     followed, attempt 2: the carrier fetched the document
            +07.000  leg         human took the call (support)
            +09.000  leg         caller and human talk (support)
            +12.000  watch       caller and human were parted within two minutes
            +12.000  ended       bridged
        "#]],
    );
}

#[test]
fn where_we_are_the_line_the_stream_is_let_go_once_the_rewrite_is_taken() {
    let policy = Policy {
        mode: Mode::Converse,
        ..three()
    };
    check_under(
        policy,
        r#"
        +01.050 fetched 1
        +01.100 settled 1 taken
        "#,
        expect![[r#"
            +01.050  rewrite     followed, attempt 1: the carrier fetched the document
            +01.100  rewrite     taken, not followed yet
            +01.100  > release the caller
        "#]],
    );
}

#[test]
fn a_caller_waits_in_a_conference_while_the_human_is_called_and_briefed() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +03.000 leg ringing 1 room
        +06.000 leg answered 1 room
        +12.000 leg accepted 1 room
        +40.000 left bridged 1 room
        +40.100 dial not-bridged 1 room
        +40.150 ask-next 1 room
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +03.000  leg         human's phone rings (room)
            +06.000  leg         human answered (room)
            +12.000  leg         human took the call (room)
            +14.000  leg         caller and human talk (room)
            +40.000  leg         human's leg over (room)
            +40.100  dial        over after caller and human talked (room)
            +40.100  watch       caller and human were parted within two minutes
            +40.150  < next: hang up
        "#]],
    );
}

#[test]
fn a_human_who_does_not_come_to_the_conference_has_the_caller_taken_elsewhere() {
    check_under(
        Policy {
            routes: routes(&[
                ("room", Acceptance::Key, Joining::Conference),
                ("support", Acceptance::Key, Joining::Dial),
            ]),
            ..policy()
        },
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +20.000 left no-answer 1 room
        +20.050 dial not-bridged 1 room
        +20.060 ask-next 1 room
        +20.300 settled 2 accepted
        +21.000 leg ringing 2 support
        +25.000 dial no-answer 2 support
        +25.050 ask-next 2 support
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +20.000  dial        nobody answered (room)
            +20.000  rewrite     requested, attempt 2
            +20.000  > rewrite, attempt 2: support
            +20.050  ! stale_handoff
            +20.060  < next: unknown
            +20.300  rewrite     accepted
            +21.000  leg         human's phone rings (support)
            +25.000  dial        nobody answered (support)
            +25.000  promise     the caller was told that somebody calls back
            +25.050  < next: last resort
        "#]],
    );
}

#[test]
fn the_last_resort_after_a_conference_is_a_rewrite_too() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 not-called 1 room
        +01.700 settled 2 accepted
        +06.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  dial        failed, code 21211 (room)
            +01.400  rewrite     requested, attempt 2
            +01.400  > rewrite, attempt 2: 
            +01.700  rewrite     accepted
            +01.700  promise     the caller was told that somebody calls back
            +06.000  ended       carrier_refused
        "#]],
    );
}

#[test]
fn a_caller_who_leaves_the_conference_has_the_human_hung_up_on() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +00.300 audio
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +03.000 leg ringing 1 room
        +04.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +03.000  leg         human's phone rings (room)
            +04.000  > hang up CA-human
            +04.000  > flush speech
            +05.500  ended       caller_hung_up
        "#]],
    );
    // The carrier's answer comes after the caller has gone.
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.010 audio
        +01.100 settled 1 accepted
        +01.300 completed
        +01.400 called CA-human 1 room
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.300  > flush speech
            +01.400  > hang up CA-human
            +02.800  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn a_human_of_whom_nothing_is_heard_is_given_up_after_the_deadline() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +62.000 wait
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +60.000  > inspect
            +61.100  > hang up CA-human
            +61.100  dial        nobody answered (room)
            +61.100  rewrite     requested, attempt 2
            +61.100  > rewrite, attempt 2: 
        "#]],
    );
}

#[test]
fn a_rewrite_that_is_wanted_while_one_is_unanswered_waits_for_the_answer() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 fetched 1
        +01.400 not-called 1 room
        +01.700 settled 1 taken
        +01.900 settled 2 taken
        "#,
        expect![[r#"
            +01.100  rewrite     followed, attempt 1: the carrier fetched the document
            +01.100  > call room, attempt 1
            +01.400  dial        failed, code 21211 (room)
            +01.700  rewrite     taken, not followed yet
            +01.700  rewrite     requested, attempt 2
            +01.700  > rewrite, attempt 2: 
            +01.900  rewrite     taken, not followed yet
        "#]],
    );
}

#[test]
fn whom_to_try_is_everybody_if_nobody_says_in_time() {
    let mut harness = Harness::under(three());
    harness.run(
        r#"
        +00.500 targets unknown
        +01.000 request "operator"
        +02.500 wait
        "#,
    );
    expect![[r#"
        +00.000  announced   the carrier asked what to do
        +01.000  > flush speech
        +01.000  trigger     requested: operator
        +02.000  ! route_late
        +02.000  route       support, then desk, then room
        +02.000  rewrite     requested, attempt 1
        +02.000  > rewrite, attempt 1: support, desk, room
    "#]]
    .assert_eq(&harness.out);
}

#[test]
fn a_restart_goes_on_where_the_efforts_were() {
    let mut before = Harness::under(three());
    before.run(
        r#"
        +01.000 request "operator"
        +01.100 settled 1 accepted
        +10.000 dial busy 1 support
        +12.000 leg ringing 1 desk
        "#,
    );
    let now = CallTime::from_millis(13_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run(
        r#"
        +13.100 leg answered 1 desk
        +14.000 leg accepted 1 desk
        +16.500 wait
        +30.000 dial bridged 1 desk
        +30.100 ask-next 1 desk
        +30.200 completed
        "#,
    );
    expect![[r#"
        +00.000  > inspect
        +13.100  leg         human answered (desk)
        +14.000  leg         human took the call (desk)
        +16.000  leg         caller and human talk (desk)
        +30.000  dial        over after caller and human talked (desk)
        +30.000  watch       caller and human were parted within two minutes
        +30.100  < next: hang up
        +30.200  ended       bridged
    "#]]
    .assert_eq(&after.out);
    let reached = &after.contexts[0].reached;
    let told: Vec<_> = (reached.targets.iter())
        .map(|tried| (tried.target.as_str(), tried.end.is_some(), tried.ringing))
        .collect();
    expect![[r#"[("support", true, None), ("desk", true, Some(11s))]"#]]
        .assert_eq(&format!("{told:?}"));
}

#[test]
fn a_human_of_whom_nobody_knows_whether_they_are_called_is_not_waited_for_long() {
    check_under(
        Policy {
            routes: routes(&[
                ("room", Acceptance::Key, Joining::Conference),
                ("desk", Acceptance::Key, Joining::Dial),
            ]),
            ..policy()
        },
        r#"
        +01.100 settled 1 accepted
        +02.000 maybe-called 1 room
        +30.000 settled 2 accepted
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +03.500  dial        failed (room)
            +03.500  rewrite     requested, attempt 2
            +03.500  > rewrite, attempt 2: desk
            +30.000  rewrite     accepted
        "#]],
    );
}

#[test]
fn a_human_whose_phone_rings_though_the_carrier_gave_no_answer_has_their_time() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +02.000 maybe-called 1 room
        +02.500 leg ringing 1 room
        +40.000 leg answered 1 room
        +50.000 leg accepted 1 room
        +70.000 left bridged 1 room
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +02.500  leg         human's phone rings (room)
            +40.000  leg         human answered (room)
            +50.000  leg         human took the call (room)
            +52.000  leg         caller and human talk (room)
            +60.000  > inspect
            +70.000  leg         human's leg over (room)
        "#]],
    );
}

#[test]
fn where_we_are_the_line_a_fetch_after_no_answer_lets_the_stream_go() {
    let policy = || Policy {
        mode: Mode::Converse,
        ..three()
    };
    check_under(
        policy(),
        r#"
        +01.050 fetched 1
        +01.100 settled 1 unknown
        "#,
        expect![[r#"
            +01.050  rewrite     followed, attempt 1: the carrier fetched the document
            +01.100  rewrite     unknown whether it acted
            +01.100  > release the caller
        "#]],
    );
    check_under(
        policy(),
        r#"
        +01.100 settled 1 unknown
        +01.150 fetched 1
        "#,
        expect![[r#"
            +01.100  rewrite     unknown whether it acted
            +01.100  > inspect
            +01.150  > release the caller
            +01.150  rewrite     followed, attempt 1: the carrier fetched the document
        "#]],
    );
}

#[test]
fn a_caller_who_hangs_up_on_the_human_at_once_was_not_turned_away() {
    check(
        r#"
        +01.100 settled 1 accepted
        +08.000 leg answered 1 support
        +10.000 leg accepted 1 support
        +11.000 leg completed 1 support
        +11.050 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +08.000  leg         human answered (support)
            +10.000  leg         human took the call (support)
            +11.000  leg         human's leg over (support)
            +11.050  watch       caller and human were parted within two minutes
            +11.050  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn a_caller_who_leaves_the_conference_before_the_human_comes_is_rung_for_no_longer() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +03.000 leg ringing 1 room
        +06.000 dial not-bridged 1 room
        +06.100 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +03.000  leg         human's phone rings (room)
            +06.000  > hang up CA-human
            +06.000  dial        given up (room)
            +06.100  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn where_we_are_the_line_what_was_taken_and_never_fetched_is_not_repeated() {
    let policy = Policy {
        mode: Mode::Converse,
        ..three()
    };
    check_under(
        policy,
        r#"
        +01.100 settled 1 taken
        +10.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     taken, not followed yet
            +01.100  > release the caller
            +02.600  handoff     given up: taken and never followed
            +02.600  > release the caller
            +10.000  ended       carrier_refused
        "#]],
    );
}

#[test]
fn a_human_in_a_conference_who_need_press_nothing_has_talked() {
    check_under(
        only("room", Acceptance::Answer, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +06.000 leg answered 1 room
        +40.000 left not-bridged 1 room
        +40.100 dial not-bridged 1 room
        +40.150 ask-next 1 room
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +06.000  leg         human answered (room)
            +08.000  leg         caller and human talk (room)
            +40.000  leg         human's leg over (room)
            +40.100  dial        over after caller and human talked (room)
            +40.100  watch       caller and human were parted within two minutes
            +40.150  < next: hang up
        "#]],
    );
}

#[test]
fn a_caller_who_waits_in_our_document_is_not_given_up() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +20.000 left no-answer 1 room
        +20.200 settled 2 refused
        +25.400 settled 3 not-sent
        +27.600 settled 4 accepted
        +30.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.400  leg         human called to the caller's conference (room)
            +20.000  dial        nobody answered (room)
            +20.000  rewrite     requested, attempt 2
            +20.000  > rewrite, attempt 2: 
            +20.200  rewrite     refused, status 400, code 21205
            +20.200  ! caller_stranded
            +25.200  rewrite     requested, attempt 3
            +25.200  > rewrite, attempt 3: 
            +25.400  rewrite     not sent
            +26.400  rewrite     requested, attempt 4
            +26.400  > rewrite, attempt 4: 
            +27.600  rewrite     accepted
            +27.600  promise     the caller was told that somebody calls back
            +30.000  ended       no_answer
        "#]],
    );
}

#[test]
fn a_restart_takes_a_caller_out_of_the_conference_however_long_ago_they_asked() {
    let mut before = Harness::under(only("room", Acceptance::Key, Joining::Conference));
    before.run(
        r#"
        +01.000 request "operator"
        +01.100 settled 1 accepted
        +01.400 called CA-human 1 room
        +40.000 left no-answer 1 room
        "#,
    );
    let now = CallTime::from_millis(41_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run(
        r#"
        +41.100 inspected in-progress
        +43.000 settled 3 accepted
        +45.000 completed
        "#,
    );
    expect![[r#"
        +00.000  rewrite     unknown whether it acted
        +00.000  > inspect
        +42.600  rewrite     requested, attempt 3
        +42.600  > rewrite, attempt 3: 
        +43.000  rewrite     accepted
        +43.000  promise     the caller was told that somebody calls back
        +45.000  ended       no_answer
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn a_human_who_is_called_after_the_call_has_ended_is_hung_up_on() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +01.300 completed
        +09.000 called CA-human 1 room
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +01.300  ended       caller_hung_up
            +09.000  > hang up CA-human
        "#]],
    );
}

#[test]
fn a_leg_that_only_its_callbacks_name_is_hung_up_too() {
    check_under(
        only("room", Acceptance::Key, Joining::Conference),
        r#"
        +01.100 settled 1 accepted
        +02.000 called CA-human 1 room
        +02.001 leg ringing 1 room
        +02.500 called CA-other-name 1 room
        +04.000 completed
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +01.100  > call room, attempt 1
            +02.000  leg         human called to the caller's conference (room)
            +02.001  leg         human's phone rings (room)
            +04.000  > hang up CA-human
            +04.000  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn whoever_stayed_longer_than_a_whisper_had_the_caller() {
    check(
        r#"
        +01.100 settled 1 accepted
        +08.000 leg answered 1 support
        +99.000 leg completed 1 support
        +99.100 dial not-bridged 1 support
        +99.150 ask-next 1 support
        "#,
        expect![[r#"
            +01.100  rewrite     accepted
            +08.000  leg         human answered (support)
            +60.000  > inspect
            +99.000  leg         human's leg over (support)
            +99.100  dial        over after caller and human talked (support)
            +99.100  watch       caller and human were parted within two minutes
            +99.150  < next: hang up
        "#]],
    );
}
