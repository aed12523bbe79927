mx_pkg.sv
mx_width_pkg.sv
leading_zeros.sv
e8m0_scale.sv
fp32_term.sv
fp32_round.sv
fp32_from_term.sv
e8m0_scaling_unit.sv
