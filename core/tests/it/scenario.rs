//! What a call does, told as scripts.

use expect_test::expect;
use handoff_core::call::{Disposition, Event, Evidence, Fact, Mode, Policy};
use handoff_core::time::{CallTime, MediaTime};

use crate::harness::{Harness, check, policy};

#[test]
fn a_caller_who_asks_is_handed_over_and_talks() {
    check(
        r#"
        +00.300 stream A
        +02.000 voice_agent final "How can I help?"
        +05.000 caller final "My refund never came and I want to speak to a human."
        +05.150 settled 1 accepted
        +05.700 leg initiated
        +06.200 leg ringing
        +09.000 leg answered
        +40.000 dial bridged
        +40.200 completed
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +02.000  utterance   voice_agent "How can I help?"
            +05.000  utterance   caller      "My refund never came and I want to speak to a human."  sentiment -0.38
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller said "My refund never came and I want to speak to a human.", caller.asks_for_human=0.95, caller.digits=
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.150  rewrite     accepted
            +05.700  leg         human's leg initiated (support)
            +06.200  leg         human's phone rings (support)
            +09.000  leg         human answered (support)
            +11.000  leg         caller and human talk (support)
            +40.000  dial        over after caller and human talked (support)
            +40.000  watch       caller and human were parted within two minutes
            +40.200  > flush speech
            +41.700  ended       bridged
        "#]],
    );
}

#[test]
fn interim_words_fire_once_they_are_repeated_and_the_final_does_not_fire_again() {
    check(
        r#"
        +00.300 stream A
        +05.000 caller interim "I want to talk to a"
        +06.000 caller interim "I want to talk to a real person because"
        +07.000 caller interim "I want to talk to a real person because this is"
        +07.100 settled 1 accepted
        +07.500 caller final "I want to talk to a real person because this is hopeless."
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +07.000  > flush speech
            +07.000  trigger     rule caller_asks_for_human, caller said "I want to talk to a real person because this is" (interim), caller.asks_for_human=0.85, caller.digits=
            +07.000  route       support
            +07.000  rewrite     requested, attempt 1
            +07.000  > rewrite, attempt 1: support
            +07.100  rewrite     accepted
            +07.500  utterance   caller      "I want to talk to a real person because this is hopeless."  sentiment -0.55
        "#]],
    );
}

#[test]
fn pressing_zero_asks_for_a_human_after_the_pause() {
    check(
        r#"
        +00.300 stream A
        +02.000 keys 4
        +05.000 keys 0
        +06.600 settled 1 accepted
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +02.000  digit       4
            +03.500  digits      entered 4
            +05.000  digit       0
            +06.500  digits      entered 0
            +06.500  > flush speech
            +06.500  trigger     rule caller_asks_for_human, caller pressed 40, caller.asks_for_human=0.00, caller.digits=0
            +06.500  route       support
            +06.500  rewrite     requested, attempt 1
            +06.500  > rewrite, attempt 1: support
            +06.600  rewrite     accepted
        "#]],
    );
}

#[test]
fn an_account_number_with_a_zero_in_it_asks_for_nobody() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 4471
        +05.000 keys 0
        +05.500 keys 56#
        +07.500 audio
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       4
            +04.000  digit       4
            +04.000  digit       7
            +04.000  digit       1
            +05.000  digit       0
            +05.500  digit       5
            +05.500  digit       6
            +05.500  digit       #
            +05.500  digits      entered 4471056
        "#]],
    );
}

#[test]
fn a_number_that_ends_with_zero_asks_for_nobody() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 4710
        +06.000 wait
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       4
            +04.000  digit       7
            +04.000  digit       1
            +04.000  digit       0
            +05.500  digits      entered 4710
        "#]],
    );
}

#[test]
fn an_impatient_caller_presses_zero_more_than_once() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 0
        +04.400 keys 0
        +05.950 settled 1 accepted
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       0
            +04.400  digit       0
            +05.900  digits      entered 00
            +05.900  > flush speech
            +05.900  trigger     rule caller_asks_for_human, caller pressed 00, caller.asks_for_human=0.00, caller.digits=·0
            +05.900  route       support
            +05.900  rewrite     requested, attempt 1
            +05.900  > rewrite, attempt 1: support
            +05.950  rewrite     accepted
        "#]],
    );
}

#[test]
fn keys_that_end_an_entry_are_no_part_of_it_and_alone_are_one() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 12#
        +05.000 keys *
        +06.000 keys #0*
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       1
            +04.000  digit       2
            +04.000  digit       #
            +04.000  digits      entered 12
            +05.000  digit       *
            +05.000  digits      entered *
            +06.000  digit       #
            +06.000  digits      entered #
            +06.000  digit       0
            +06.000  digit       *
            +06.000  digits      entered 0
            +06.000  > flush speech
            +06.000  trigger     rule caller_asks_for_human, caller pressed 12#*#0*, caller.asks_for_human=0.00, caller.digits=0
            +06.000  route       support
            +06.000  rewrite     requested, attempt 1
            +06.000  > rewrite, attempt 1: support
        "#]],
    );
}

#[test]
fn an_entry_goes_on_in_the_stream_that_replaces_another() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 447
        +04.200 stop A
        +05.000 stream B
        +05.300 keys 0
        +07.000 audio
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       4
            +04.000  digit       4
            +04.000  digit       7
            +04.200  stream      stopped by the carrier
            +05.000  stream      audio arrives
            +05.300  digit       0
            +06.800  digits      entered 4470
        "#]],
    );
}

#[test]
fn an_entry_is_complete_after_the_pause_though_its_stream_has_ended() {
    check(
        r#"
        +00.300 stream A
        +04.000 keys 0
        +04.200 stop A
        +06.000 wait
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +04.000  digit       0
            +04.200  stream      stopped by the carrier
            +05.500  digits      entered 0
            +05.500  > flush speech
            +05.500  trigger     rule caller_asks_for_human, caller pressed 0, caller.asks_for_human=0.00, caller.digits=0
            +05.500  route       support
            +05.500  rewrite     requested, attempt 1
            +05.500  > rewrite, attempt 1: support
        "#]],
    );
}

#[test]
fn audio_that_comes_faster_than_life_completes_an_entry_as_well() {
    let mut harness = Harness::new();
    harness.run("+00.300 stream A\n+04.000 keys 0");
    let to = MediaTime::from_millis(5_500);
    harness.tell_event(Event::AudioAdvanced { to }, CallTime::from_millis(4_200));
    let trigger = harness.call.trigger().expect("a complete entry of 0");
    assert_eq!(trigger.at, CallTime::from_millis(4_200));
}

#[test]
fn a_restart_in_the_middle_of_an_entry_completes_it_and_after_it_does_not_repeat_it() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0");
    let mut facts = before.facts.clone();
    let now = CallTime::from_millis(5_800);
    let mut after = Harness::restored(facts.clone(), now);
    after.run("+08.000 wait");
    expect![[r#"
        +00.000  > inspect
        +07.300  digits      entered 0
        +07.300  > flush speech
        +07.300  trigger     rule caller_asks_for_human, caller pressed 0, caller.asks_for_human=0.00, caller.digits=0
        +07.300  route       support
        +07.300  rewrite     requested, attempt 1
        +07.300  > rewrite, attempt 1: support
    "#]].assert_eq(&after.out);

    facts.extend(
        after
            .facts
            .iter()
            .take_while(|(_, fact)| !matches!(fact, Fact::Triggered(_)))
            .cloned(),
    );
    let now = CallTime::from_millis(8_100);
    let mut again = Harness::restored(facts, now);
    again.run("+08.500 audio");
    expect![[r#"
        +00.000  > inspect
        +08.500  > flush speech
        +08.500  trigger     rule caller_asks_for_human, caller pressed 0, caller.asks_for_human=0.00, caller.digits=0
        +08.500  route       support
        +08.500  rewrite     requested, attempt 1
        +08.500  > rewrite, attempt 1: support
    "#]].assert_eq(&again.out);
}

#[test]
fn a_journal_that_does_not_answer_holds_the_rewrite_for_its_deadline_only() {
    check(
        r#"
        +00.300 stream A
        +01.000 journal down
        +05.000 keys 0#
        +05.200 wait
        +05.300 settled 1 accepted
        +09.000 recorded
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.250  ! journal_late
            +05.250  rewrite     requested, attempt 1
            +05.250  > rewrite, attempt 1: support
            +05.300  rewrite     accepted
        "#]],
    );
}

#[test]
fn a_second_trigger_during_a_handoff_is_noted_not_acted_on() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.050 request "supervisor clicked"
        +05.060 keys 0#
        +05.070 caller final "hello? I want to speak to a human"
        +05.100 settled 1 accepted
        +05.200 request "supervisor clicked again"
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.050  ! trigger_during_handoff
            +05.060  digit       0
            +05.060  digit       #
            +05.060  digits      entered 0
            +05.070  utterance   caller      "hello? I want to speak to a human"  sentiment +0.27
            +05.100  rewrite     accepted
            +05.200  ! trigger_during_handoff
        "#]],
    );
}

#[test]
fn a_rewrite_that_did_not_act_is_asked_for_again_until_the_attempts_are_used_up() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 not-sent
        +05.400 settled 2 not-sent
        +06.000 settled 3 not-sent
        +07.500 wait
        +30.000 completed
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     not sent
            +05.350  rewrite     requested, attempt 2
            +05.350  > rewrite, attempt 2: support
            +05.400  rewrite     not sent
            +05.900  rewrite     requested, attempt 3
            +05.900  > rewrite, attempt 3: support
            +06.000  rewrite     not sent
            +07.000  handoff     given up: no attempt is left
            +30.000  ended       carrier_refused
        "#]],
    );
}

#[test]
fn after_an_unknown_outcome_the_call_is_looked_at_before_the_rewrite_is_repeated() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +09.000 settled 1 unknown
        +09.100 inspected in-progress
        +10.900 settled 2 accepted
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +09.000  rewrite     unknown whether it acted
            +09.000  > inspect
            +10.600  rewrite     requested, attempt 2
            +10.600  > rewrite, attempt 2: support
            +10.900  rewrite     accepted
        "#]],
    );
}

#[test]
fn news_of_the_leg_proves_that_an_unanswered_rewrite_acted() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +06.000 leg ringing
        +09.000 settled 1 unknown
        +09.500 leg answered
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +06.000  leg         human's phone rings (support)
            +09.000  rewrite     unknown whether it acted
            +09.500  leg         human answered (support)
        "#]],
    );
}

#[test]
fn a_caller_who_hung_up_first_is_not_asked_for_again() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 gone
        +05.200 inspected over
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     too late, the caller has hung up
            +05.100  > inspect
            +05.200  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn a_refused_rewrite_leaves_the_caller_with_the_voice_agent_and_the_rules_alive() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 refused
        +09.000 keys 0#
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     refused, status 400, code 21205
            +05.100  handoff     given up: refused
            +09.000  digit       0
            +09.000  digit       #
            +09.000  digits      entered 0
            +09.000  > flush speech
            +09.000  trigger     rule caller_asks_for_human, caller pressed 0#0#, caller.asks_for_human=0.00, caller.digits=0
            +09.000  route       support
            +09.000  rewrite     requested, attempt 1
            +09.000  > rewrite, attempt 1: support
        "#]],
    );
}

#[test]
fn nobody_answers_and_the_disposition_says_so() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 accepted
        +06.000 leg ringing
        +31.000 leg completed
        +31.100 dial no-answer
        +31.200 dial no-answer
        +36.000 completed
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     accepted
            +06.000  leg         human's phone rings (support)
            +31.000  leg         human's leg over (support)
            +31.100  dial        nobody answered (support)
            +31.100  promise     the caller was told that somebody calls back
            +31.200  ! stale_handoff
            +36.000  ended       no_answer
        "#]],
    );
}

#[test]
fn a_stream_that_stops_does_not_end_the_call() {
    check(
        r#"
        +00.300 stream A
        +20.000 stop A
        +25.000 stream B
        +40.000 stop B
        +50.100 inspected in-progress
        +110.200 inspected over
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +20.000  stream      stopped by the carrier
            +25.000  stream      audio arrives
            +40.000  stream      stopped by the carrier
            +50.000  > inspect
            +110.000  > inspect
            +110.200  ended       stayed_with_voice_agent
        "#]],
    );
}

#[test]
fn silence_is_measured_by_the_audio_heard() {
    check(
        r#"
        +00.300 stream A
        +01.000 speech
        +03.000 quiet
        +04.000 audio
        +10.900 audio
        +11.100 audio
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +11.100  > flush speech
            +11.100  trigger     rule silent_caller, caller.silent_seconds=8.10
            +11.100  route       support
            +11.100  rewrite     requested, attempt 1
            +11.100  > rewrite, attempt 1: support
        "#]],
    );
}

#[test]
fn callbacks_of_another_handoff_change_nothing() {
    check(
        r#"
        +00.300 stream A
        +03.000 old-leg ringing
        +05.000 keys 0#
        +05.050 old-leg ringing
        +05.100 settled 1 accepted
        +06.000 leg ringing
        +06.100 leg initiated
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +03.000  ! stale_handoff
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.050  ! stale_handoff
            +05.100  rewrite     accepted
            +06.000  leg         human's phone rings (support)
            +06.100  ! leg_out_of_order
        "#]],
    );
}

#[test]
fn the_context_has_every_word_and_marks_the_ones_that_decided() {
    let mut harness = Harness::new();
    harness.run(
        r#"
        +00.300 stream A
        +02.000 voice_agent final "How can I help?"
        +05.000 caller final "My parcel was left in the rain."
        +09.000 caller final "Get me a human please."
        +09.100 settled 1 accepted
        +30.000 completed
        "#,
    );
    let [opened, closed] = &harness.contexts[..] else {
        panic!("one context a revision")
    };
    let words: Vec<_> = opened
        .transcript
        .iter()
        .map(|line| line.text.expose().as_str())
        .collect();
    assert_eq!(
        words,
        [
            "How can I help?",
            "My parcel was left in the rain.",
            "Get me a human please."
        ]
    );
    let decided: Vec<_> = opened.transcript.iter().map(|line| line.decided).collect();
    assert_eq!(decided, [false, false, true]);
    assert!(matches!(
        &opened.trigger.evidence[..],
        [Evidence::Words { .. }]
    ));
    assert!(opened.summary.expose().contains("Get me a human please"));
    assert!(
        opened
            .summary
            .expose()
            .contains("My parcel was left in the rain")
    );
    assert_eq!((opened.revision, closed.revision), (0, 1));
    assert_eq!(closed.disposition, Some(Disposition::CallerHungUp));
}

#[test]
fn a_call_taken_up_by_another_process_finishes_what_was_decided() {
    let mut before = Harness::new();
    before.run(
        r#"
        +00.300 stream A
        +05.000 caller final "I want to speak to a human."
        "#,
    );
    // The process died after the decision and before the rewrite was asked for.
    let facts = before
        .facts
        .iter()
        .filter(|(_, fact)| !matches!(fact, Fact::RewriteRequested { .. }));
    let now = CallTime::from_millis(8_000);
    let mut after = Harness::restored(facts.cloned(), now);
    after.run(
        "+08.100 inspected in-progress\n+09.800 settled 1 accepted\n+12.000 leg answered 2\n\
         +20.000 completed",
    );
    expect![[r#"
        +00.000  rewrite     unknown whether it acted
        +00.000  > inspect
        +09.600  rewrite     requested, attempt 2
        +09.600  > rewrite, attempt 2: support
        +09.800  rewrite     accepted
        +12.000  leg         human answered (support)
        +14.000  leg         caller and human talk (support)
        +20.000  watch       caller and human were parted within two minutes
        +20.000  > flush speech
        +21.500  ended       bridged
    "#]]
    .assert_eq(&after.out);
    assert_eq!(after.contexts[0].trigger, before.contexts[0].trigger);
}

#[test]
fn a_call_taken_up_in_mid_rewrite_is_looked_at_first() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0#");
    let now = CallTime::from_millis(8_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run("+08.100 inspected in-progress\n+09.700 wait");
    expect![[r#"
        +00.000  rewrite     unknown whether it acted
        +00.000  > inspect
        +09.600  rewrite     requested, attempt 2
        +09.600  > rewrite, attempt 2: support
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn the_end_of_a_dial_that_a_repeat_interrupted_is_not_the_end_of_the_repeat() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +09.000 settled 1 unknown
        +09.100 inspected in-progress
        +10.700 settled 2 accepted
        +10.800 dial failed 1
        +10.900 leg completed 1
        +11.500 leg ringing 2
        +14.000 leg answered 2
        +30.000 completed
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +09.000  rewrite     unknown whether it acted
            +09.000  > inspect
            +10.600  rewrite     requested, attempt 2
            +10.600  > rewrite, attempt 2: support
            +10.700  rewrite     accepted
            +10.800  ! stale_handoff
            +10.900  ! stale_handoff
            +11.500  leg         human's phone rings (support)
            +14.000  leg         human answered (support)
            +16.000  leg         caller and human talk (support)
            +30.000  watch       caller and human were parted within two minutes
            +30.000  ended       bridged
        "#]],
    );
}

#[test]
fn a_rewrite_that_was_given_up_and_acted_after_all_is_followed() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 not-sent
        +05.400 settled 2 not-sent
        +06.000 settled 3 unknown
        +06.100 inspected in-progress
        +08.000 leg ringing 3
        +09.000 leg answered 3
        +30.000 completed
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     not sent
            +05.350  rewrite     requested, attempt 2
            +05.350  > rewrite, attempt 2: support
            +05.400  rewrite     not sent
            +05.900  rewrite     requested, attempt 3
            +05.900  > rewrite, attempt 3: support
            +06.000  rewrite     unknown whether it acted
            +06.000  > inspect
            +07.600  handoff     given up: no attempt is left
            +08.000  leg         human's phone rings (support)
            +09.000  leg         human answered (support)
            +11.000  leg         caller and human talk (support)
            +30.000  watch       caller and human were parted within two minutes
            +30.000  ended       bridged
        "#]],
    );
}

#[test]
fn a_stream_that_says_nothing_for_long_is_no_proof_of_a_call() {
    check(
        r#"
        +00.300 stream A
        +30.000 audio
        +91.000 inspected over
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +30.000  > flush speech
            +30.000  trigger     rule silent_caller, caller.silent_seconds=30.00
            +30.000  route       support
            +30.000  rewrite     requested, attempt 1
            +30.000  > rewrite, attempt 1: support
            +90.000  > inspect
            +91.000  > flush speech
            +92.500  ended       caller_hung_up
        "#]],
    );
}

#[test]
fn a_caller_who_listens_to_the_voice_agent_is_not_silent() {
    check(
        r#"
        +00.300 stream A
        +01.000 bot-speaks
        +12.000 audio
        +12.500 bot-quiet
        +20.000 audio
        +20.600 audio
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +20.600  > flush speech
            +20.600  trigger     rule silent_caller, caller.silent_seconds=8.10
            +20.600  route       support
            +20.600  rewrite     requested, attempt 1
            +20.600  > rewrite, attempt 1: support
        "#]],
    );
}

#[test]
fn what_was_said_just_before_the_end_is_in_the_last_context() {
    let mut harness = Harness::new();
    harness.run(
        r#"
        +00.300 stream A
        +05.000 caller final "Get me a human please."
        +05.100 settled 1 accepted
        +06.000 leg answered
        +30.000 audio
        +30.000 completed
        +30.400 voice_agent final "Goodbye then."
        "#,
    );
    let last = harness.contexts.last().unwrap();
    let words = last
        .transcript
        .last()
        .map(|line| (line.speaker, line.text.expose().as_str()));
    assert_eq!(
        words,
        Some((handoff_core::speech::Speaker::Human, "Goodbye then."))
    );
    assert_eq!(last.disposition, Some(Disposition::Bridged));
}

#[test]
fn a_carrier_that_refuses_for_ever_does_not_fill_the_ticket_system() {
    let tickets = |again: &str| {
        let mut harness = Harness::new();
        harness.run("+00.300 stream A\n+01.000 keys 0#");
        for second in 2..600 {
            let heard = if second % 40 == 0 { again } else { "audio" };
            harness.run(&format!(
                "+{second}.000 settled 1 refused\n+{second}.500 {heard}"
            ));
        }
        harness.contexts.len()
    };
    assert_eq!(tickets("audio"), 1, "the caller added nothing");
    assert_eq!(tickets("keys 0#"), 3, "the caller asks again and again");
}

#[test]
fn facts_replayed_after_an_answer_that_came_too_late_leave_the_leg_ringing() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0#\n+06.000 leg ringing\n+09.000 settled 1 unknown");
    let now = CallTime::from_millis(10_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run("+10.100 inspected in-progress\n+13.000 leg answered\n+20.000 completed");
    expect![[r#"
        +00.000  > inspect
        +13.000  leg         human answered (support)
        +15.000  leg         caller and human talk (support)
        +20.000  watch       caller and human were parted within two minutes
        +20.000  ended       bridged
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn an_old_decision_is_not_acted_on_after_a_restart() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0#");
    let now = CallTime::from_millis(60_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run("+60.100 inspected in-progress\n+70.000 leg answered\n+90.000 completed");
    expect![[r#"
        +00.000  handoff     given up: too old after a restart
        +00.000  > inspect
        +70.000  leg         human answered (support)
        +72.000  leg         caller and human talk (support)
        +90.000  watch       caller and human were parted within two minutes
        +90.000  ended       bridged
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn a_human_who_answered_counts_though_the_news_comes_after_the_end_of_the_leg() {
    check(
        r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 accepted
        +06.000 leg ringing
        +20.000 leg completed
        +20.100 leg answered
        +20.200 leg answered
        +20.300 leg ringing
        +30.100 inspected over
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  digit       0
            +05.000  digit       #
            +05.000  digits      entered 0
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     accepted
            +06.000  leg         human's phone rings (support)
            +20.000  leg         human's leg over (support)
            +20.100  leg         human answered (support)
            +20.200  ! leg_out_of_order
            +20.300  ! leg_out_of_order
            +30.100  > inspect
            +30.100  watch       caller and human were parted within two minutes
            +30.100  ended       bridged
        "#]],
    );
}

#[test]
fn a_human_who_answered_counts_though_the_news_comes_after_the_end_of_the_call() {
    check(
        r#"
        +00.300 stream A
        +05.000 caller final "Get me a human please."
        +05.100 settled 1 accepted
        +06.000 leg ringing
        +20.000 completed
        +20.100 leg completed
        +20.200 leg answered
        "#,
        expect![[r#"
            +00.000  announced   the carrier asked what to do
            +00.300  stream      audio arrives
            +05.000  utterance   caller      "Get me a human please."  sentiment +0.27
            +05.000  > flush speech
            +05.000  trigger     rule caller_asks_for_human, caller said "Get me a human please.", caller.asks_for_human=0.95, caller.digits=
            +05.000  route       support
            +05.000  rewrite     requested, attempt 1
            +05.000  > rewrite, attempt 1: support
            +05.100  rewrite     accepted
            +06.000  leg         human's phone rings (support)
            +20.000  > flush speech
            +20.100  ! stale_handoff
            +20.200  leg         human answered (support)
            +20.200  leg         caller and human talk (support)
            +21.500  ended       bridged
        "#]],
    );
}

#[test]
fn a_request_that_only_its_callback_knows_of_is_adopted() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0#\n+05.100 settled 1 not-sent");
    let now = CallTime::from_millis(6_000);
    let mut after = Harness::restored(before.facts.clone(), now);
    after.run(
        "+06.100 leg ringing 2\n+06.200 leg answered 9\n+06.300 dial failed 1\n\
         +07.000 leg answered 2\n+20.000 completed",
    );
    expect![[r#"
        +00.000  > inspect
        +06.100  rewrite     requested, attempt 2
        +06.100  leg         human's phone rings (support)
        +06.200  ! stale_handoff
        +06.300  ! stale_handoff
        +07.000  leg         human answered (support)
        +09.000  leg         caller and human talk (support)
        +20.000  watch       caller and human were parted within two minutes
        +20.000  ended       bridged
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn a_restart_that_finds_a_refusal_gives_the_handoff_up() {
    let mut before = Harness::new();
    before.run("+00.300 stream A\n+05.000 keys 0#\n+05.100 settled 1 refused");
    before.facts.pop();
    let now = CallTime::from_millis(6_000);
    let after = Harness::restored(before.facts.clone(), now);
    expect![[r#"
        +00.000  handoff     given up: refused
        +00.000  > inspect
    "#]]
    .assert_eq(&after.out);
}

#[test]
fn where_we_are_the_line_a_caller_whose_handoff_is_given_up_is_released() {
    let run = |script: &str| {
        let policy = Policy {
            mode: Mode::Converse,
            ..policy()
        };
        let mut harness = Harness::under(policy);
        harness.run(script);
        harness.out
    };
    let refused = run(r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 refused
        +05.200 release A
        +15.300 inspected in-progress
        +40.000 completed
        "#);
    expect![[r#"
        +00.000  announced   the carrier asked what to do
        +00.300  stream      audio arrives
        +05.000  digit       0
        +05.000  digit       #
        +05.000  digits      entered 0
        +05.000  > flush speech
        +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
        +05.000  route       support
        +05.000  rewrite     requested, attempt 1
        +05.000  > rewrite, attempt 1: support
        +05.100  rewrite     refused, status 400, code 21205
        +05.100  handoff     given up: refused
        +05.100  > release the caller
        +05.200  stream      closed by us: the carrier goes on
        +15.200  > inspect
        +40.000  ended       carrier_refused
    "#]].assert_eq(&refused);
    // Given up before any stream held the caller: the one that comes lets go at once.
    let early = run(r#"
        +01.000 request "operator"
        +01.100 settled 1 refused
        +02.000 stream A
        +02.100 release A
        +40.000 completed
        "#);
    expect![[r#"
        +00.000  announced   the carrier asked what to do
        +01.000  > flush speech
        +01.000  trigger     requested: operator
        +01.000  route       support
        +01.000  rewrite     requested, attempt 1
        +01.000  > rewrite, attempt 1: support
        +01.100  rewrite     refused, status 400, code 21205
        +01.100  handoff     given up: refused
        +01.100  > release the caller
        +02.000  stream      audio arrives
        +02.000  > release the caller
        +02.100  stream      closed by us: the carrier goes on
        +12.100  > inspect
        +40.000  ended       carrier_refused
    "#]]
    .assert_eq(&early);
    let used_up = run(r#"
        +00.300 stream A
        +05.000 keys 0#
        +05.100 settled 1 not-sent
        +05.400 settled 2 not-sent
        +06.000 settled 3 not-sent
        +07.500 wait
        "#);
    expect![[r#"
        +00.000  announced   the carrier asked what to do
        +00.300  stream      audio arrives
        +05.000  digit       0
        +05.000  digit       #
        +05.000  digits      entered 0
        +05.000  > flush speech
        +05.000  trigger     rule caller_asks_for_human, caller pressed 0#, caller.asks_for_human=0.00, caller.digits=0
        +05.000  route       support
        +05.000  rewrite     requested, attempt 1
        +05.000  > rewrite, attempt 1: support
        +05.100  rewrite     not sent
        +05.350  rewrite     requested, attempt 2
        +05.350  > rewrite, attempt 2: support
        +05.400  rewrite     not sent
        +05.900  rewrite     requested, attempt 3
        +05.900  > rewrite, attempt 3: support
        +06.000  rewrite     not sent
        +07.000  handoff     given up: no attempt is left
        +07.000  > release the caller
    "#]].assert_eq(&used_up);
}
