"""Examples for a contact sheet."""

from facestages.stimuli import Example, Irregularity
from facestages.stimuli.examples import ExampleChoice, thin_examples


def test_thinned_examples_keep_even_steps():
    notes = [""] * 6 + ["score 0.4", "score 0.5", "score 0.6", "no face found: left out"]
    made = [Example(str(n), str(n), note, None, None) for n, note in enumerate(notes)]
    assert [example.file for example in thin_examples(made, 3)] == ["0", "3", "6", "9"]


def test_even_steps_the_least_certain_and_the_irregular_are_chosen():
    choice = ExampleChoice(100)
    for number in range(100):
        example = Example(str(number), str(number), "", None, None)
        trouble = Irregularity("x", "no face found", "left out") if number == 50 else None
        choice.offer(number, example, trouble, 1 - number / 1000)
    chosen = choice.chosen
    even, unsure, irregular = chosen[:24], chosen[24:30], chosen[30:]
    assert (even[0].file, even[-1].file) == ("0", "99") and not any(e.note for e in even)
    assert [e.file for e in unsure] == ["98", "97", "96", "95", "93", "92"]
    assert unsure[0].note == "score 0.90"
    assert [(e.file, e.note) for e in irregular] == [("50", "no face found: left out")]
