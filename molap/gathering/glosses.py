"""Say in a few words what each switch of the attribution does (docs/readings.md has all of it)."""

SWITCHED = {
    "criterion": "decisions within 10 % of the target, fixation within 15 %",
    "anti": "anti tasks with the targets of pro tasks",
    "alignment": "a corpus with other trials for every task",
    "noise": "ten times the input noise, none in the silent steps",
    "rescaling": "signals rescaled by the extremes of their batch",
    "frozen_batch": "one batch for all steps",
    "adam": "no decay of the rate, no clipping, Adam counts stages",
    "biases": "biases, trained h0, one random key",
    "module2_input": "a recurrent row trained in place of later modules' input",
    "pca": "one PCA for inputs and targets together",
    "inter_module": "inter-module lesions hit the whole matrix",
    "silencing": "the readout still sees silenced units",
    "dni_input": "DNI without a rule input",
    "dni_order": "DNI projects the gradient, before Adam",
    "dni_rate": "a smaller learning rate for DNI",
    "left_out": "left-out tasks stay in the corpus",
    "equal_size": "DNI with as many units as the others",
    "readout": "the former initial readout",
    "recurrent_rate": "the former rate of W_rec",
    "steps": "the former number of steps",
    "protocol": "training as before the search",
}
"""Switch → what it does; the keys are those of `molap.config.attribution.SWITCHES`."""
