// Proofs of decoder and multiplier. `wrong` is 0 for all inputs, or the inputs are a counterexample.

// The definition itself has the printed maxima and minima, every power of two it should have, and nothing between.
module prove_definition (
  input  logic [2:0] format,
  input  logic [7:0] code,
  output logic       wrong
);
  logic [spec_pkg::Magnitude-1:0] v, unit;
  logic                           finite;
  assign v      = spec_pkg::magnitude(format, code);
  assign unit   = spec_pkg::Magnitude'(1) << (16 + spec_pkg::unit_log2(format));
  assign finite = !spec_pkg::nan(format, code) && !spec_pkg::inf(format, code);
  assign wrong  = format != 3'd7
               && ((finite && v > spec_pkg::max_finite(format) && !(format == 3'd5 && code == 8'h80))
                || spec_pkg::magnitude(format, spec_pkg::max_code(format)) != spec_pkg::max_finite(format)
                || spec_pkg::magnitude(format, 8'h01) != unit
                || (v & (unit - 1'b1)) != '0
                || (finite && v != '0 && v < unit)
                || (format == 3'd5 && code == 8'h80 && v != (spec_pkg::Magnitude'(2) << 16)));
endmodule

module prove_decode #(
  parameter logic [6:0] FORMATS = 7'h7f,
  parameter int ONLY  = 7,  // the format, where it is alone
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [2:0] format,
  input  logic [7:0] code,
  output logic       wrong
);
  localparam int SIGNIFICAND = mx_width_pkg::significand_bits(FORMATS);
  localparam int SHIFT       = mx_width_pkg::shift_bits(FORMATS);
  logic                   inf, negative, nonzero, nan;
  logic [SIGNIFICAND-1:0] significand;
  logic [SHIFT-1:0]       shift;
  mx_decode #(.FORMATS(FORMATS), .FAULTS(FAULTS)) dut (
    .format_i(format), .code_i(code), .fault_i(5'(FAULT)),
    .element_o({inf, negative, nonzero, significand, shift}), .nan_o(nan)
  );

  logic [2:0]  f;
  logic [63:0] value;  // in units of 2^-16
  assign f     = ONLY < 7 ? 3'(ONLY) : format;
  assign value = (64'(significand) << shift) << (16 + spec_pkg::unit_log2(f));
  assign wrong = f != 3'd7
              && (nan != spec_pkg::nan(f, code)
               || (!nan && (inf != spec_pkg::inf(f, code) || negative != spec_pkg::negative(f, code)
                         || nonzero != (spec_pkg::magnitude(f, code) != '0)
                         || (!inf && value != 64'(spec_pkg::magnitude(f, code))))));
endmodule

// Two codes, decoded and multiplied.
module prove_mul #(
  parameter logic [6:0] A_FORMATS = 7'h7f,
  parameter logic [6:0] B_FORMATS = 7'h7f,
  parameter int A_ONLY = 7,
  parameter int B_ONLY = 7,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [2:0] a_format,
  input  logic [2:0] b_format,
  input  logic [7:0] a_code,
  input  logic [7:0] b_code,
  output logic       wrong
);
  localparam int A           = mx_width_pkg::number_bits(A_FORMATS);
  localparam int B           = mx_width_pkg::number_bits(B_FORMATS);
  localparam int SIGNIFICAND = mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS);
  localparam int SHIFT       = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS);
  localparam int PRODUCT     = mx_width_pkg::product_bits(A_FORMATS, B_FORMATS);
  logic [A-1:0]           a;
  logic [B-1:0]           b;
  logic [2:0]             a_flags, b_flags;
  logic                   a_nan, b_nan, negative, nonzero, inf, nan;
  logic [SIGNIFICAND-1:0] significand;
  logic [SHIFT-1:0]       shift;
  mx_decode #(.FORMATS(A_FORMATS)) u_a (
    .format_i(a_format), .code_i(a_code), .fault_i(5'd0), .element_o({a_flags, a}), .nan_o(a_nan)
  );
  mx_decode #(.FORMATS(B_FORMATS)) u_b (
    .format_i(b_format), .code_i(b_code), .fault_i(5'd0), .element_o({b_flags, b}), .nan_o(b_nan)
  );
  mx_mul #(.A_FORMATS(A_FORMATS), .B_FORMATS(B_FORMATS), .FAULTS(FAULTS)) dut (
    .a_i(a), .b_i(b), .fault_i(5'(FAULT)), .significand_o(significand), .shift_o(shift)
  );
  mx_product_flags #(.LANES(1)) u_flags (
    .a_i(a_flags), .b_i(b_flags), .negative_o(negative), .nonzero_o(nonzero), .inf_o(inf), .nan_o(nan)
  );

  logic [2:0]  fa, fb;
  logic [32:0] va, vb;
  logic        a_inf, b_inf, a_zero, b_zero;
  logic [95:0] product;  // of units
  assign fa      = A_ONLY < 7 ? 3'(A_ONLY) : a_format;
  assign fb      = B_ONLY < 7 ? 3'(B_ONLY) : b_format;
  assign va      = spec_pkg::magnitude(fa, a_code) >> (16 + spec_pkg::unit_log2(fa));
  assign vb      = spec_pkg::magnitude(fb, b_code) >> (16 + spec_pkg::unit_log2(fb));
  assign a_inf   = spec_pkg::inf(fa, a_code);
  assign b_inf   = spec_pkg::inf(fb, b_code);
  assign a_zero  = !a_inf && va == '0;
  assign b_zero  = !b_inf && vb == '0;
  assign product = 96'(va) * 96'(vb);
  assign wrong = fa != 3'd7 && fb != 3'd7 && !spec_pkg::nan(fa, a_code) && !spec_pkg::nan(fb, b_code)
              && (negative != (spec_pkg::negative(fa, a_code) ^ spec_pkg::negative(fb, b_code))
               || nonzero != (!a_zero && !b_zero)
               || nan != ((a_inf && b_zero) || (b_inf && a_zero))
               || inf != ((a_inf && !b_zero) || (b_inf && !a_zero))
               || (!a_inf && !b_inf && ((96'(significand) << shift) != product || product >> PRODUCT != '0)));
endmodule

// Any two elements: what the multiplier's ports can hold, whatever decoded it. (s·2^h)·(t·2^i) = s·t·2^(h+i).
module prove_mul_elements #(
  parameter logic [6:0] A_FORMATS = 7'h7f,
  parameter logic [6:0] B_FORMATS = 7'h7f,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [15:0] a_significand, b_significand,
  input  logic [7:0]  a_shift, b_shift,
  output logic        wrong
);
  localparam int A           = mx_width_pkg::significand_bits(A_FORMATS);
  localparam int B           = mx_width_pkg::significand_bits(B_FORMATS);
  localparam int A_SHIFT     = mx_width_pkg::shift_bits(A_FORMATS);
  localparam int B_SHIFT     = mx_width_pkg::shift_bits(B_FORMATS);
  localparam int SIGNIFICAND = mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS);
  localparam int SHIFT       = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS);
  logic [SIGNIFICAND-1:0] significand;
  logic [SHIFT-1:0]       shift;
  mx_mul #(.A_FORMATS(A_FORMATS), .B_FORMATS(B_FORMATS), .FAULTS(FAULTS)) dut (
    .a_i({a_significand[A-1:0], a_shift[A_SHIFT-1:0]}), .b_i({b_significand[B-1:0], b_shift[B_SHIFT-1:0]}),
    .fault_i(5'(FAULT)), .significand_o(significand), .shift_o(shift)
  );
  // A place is in range.
  logic [31:0] product;
  logic        possible;
  assign product  = 32'(a_significand[A-1:0]) * 32'(b_significand[B-1:0]);
  assign possible = 32'(a_shift[A_SHIFT-1:0]) <= mx_width_pkg::largest(A_FORMATS, mx_pkg::MaxShift)
                 && 32'(b_shift[B_SHIFT-1:0]) <= mx_width_pkg::largest(B_FORMATS, mx_pkg::MaxShift);
  assign wrong = possible
              && (32'(significand) != product
               || 10'(shift) != 10'(a_shift[A_SHIFT-1:0]) + 10'(b_shift[B_SHIFT-1:0]));
endmodule
