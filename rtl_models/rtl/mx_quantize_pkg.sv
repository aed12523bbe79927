// Widths of the quantizer and the dequantizer: what they ask of the formats that they are built
// for (a set of mx_pkg's rows). Functions of constants. They call none of mx_width_pkg's: Icarus 11
// does not evaluate a call from one package into another.
// Each of the quantizer and the dequantizer reads some of it alone.
/* verilator lint_off UNUSEDPARAM */
package mx_quantize_pkg;
  // --- a binary32 taken apart (fp32_unpack)
  localparam int SignificandBits = 24;
  // Exponent of the least number; exponents are counted from it: 0 to 276.
  localparam int Lowest       = -149;
  localparam int ExponentBits = 9;
  localparam int PartsBits    = ExponentBits + SignificandBits;  // {exponent, significand}
  // An element: {negative, exponent, significand}.
  localparam int ElementBits = 1 + PartsBits;
  // A signed difference of exponents, and a scale exponent before it is clamped: -286 to 285.
  localparam int DifferenceBits = 10;

  // --- sets of formats
  function automatic bit has_mx(input logic [mx_pkg::NumFormats-1:0] formats);
    has_mx = (formats & ~mx_pkg::TensorScaled) != '0;
  endfunction
  function automatic bit has_tensor_scale(input logic [mx_pkg::NumFormats-1:0] formats);
    has_tensor_scale = (formats & mx_pkg::TensorScaled) != '0;
  endfunction
  function automatic bit is_one(input logic [mx_pkg::NumFormats-1:0] formats);
    is_one = (formats & (formats - 1'b1)) == '0;
  endfunction
  // The least of their numbers.
  function automatic int first(input logic [mx_pkg::NumFormats-1:0] formats);
    int i;
    first = 0;
    for (i = mx_pkg::NumFormats - 1; i >= 0; i = i - 1) if (formats[i]) first = i;
  endfunction

  // The largest entry of a column.
  function automatic int largest(input logic [mx_pkg::NumFormats-1:0] formats,
                                 input logic [mx_pkg::NumFormats*8-1:0] entries);
    int i, entry;
    largest = 0;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) begin
      entry = {24'b0, entries[i*8 +: 8]};
      if (formats[i] && entry > largest) largest = entry;
    end
  endfunction
  // Lanes that a block with a tensor scale has.
  function automatic int divided_lanes(input logic [mx_pkg::NumFormats-1:0] formats);
    divided_lanes = largest(formats & mx_pkg::TensorScaled, mx_pkg::BlockLength);
  endfunction

  // --- an element on its way to a code
  // Fraction bits that decide a stochastic rounding.
  localparam int RandomBits = 32;
  // The exact product of a significand and 4·p, p = 1 or 3/4.
  localparam int ProductBits = SignificandBits + 2;
  // Of a rounded code, hidden bit and mantissa.
  function automatic int quotient_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    quotient_bits = largest(formats, mx_pkg::MantissaBits) + 1;
  endfunction
  // Bits of a quotient of two significands that its rounding needs: the one above the binary point,
  // which is 0 where the leading one is the next; hidden bit, mantissa, and the bit that decides.
  function automatic int division_steps(input logic [mx_pkg::NumFormats-1:0] formats);
    division_steps = largest(formats, mx_pkg::MantissaBits) + 3;
  endfunction
  // The same of the elements of the formats with a tensor scale; a division makes them in a cycle.
  function automatic int element_steps(input logic [mx_pkg::NumFormats-1:0] formats);
    element_steps = division_steps(formats & mx_pkg::TensorScaled);
  endfunction
  // Cycles that give the fraction of a stochastic rounding too.
  function automatic int division_cycles(input logic [mx_pkg::NumFormats-1:0] formats);
    division_cycles = (element_steps(formats) - 1 + RandomBits + element_steps(formats) - 1)
                    / element_steps(formats);
  endfunction
  // What is rounded: the product, or the quotient.
  function automatic int exact_bits(input logic [mx_pkg::NumFormats-1:0] formats,
                                    input bit stochastic);
    int bits;
    exact_bits = has_mx(formats) ? ProductBits : 1;
    if (has_tensor_scale(formats)) begin
      bits = element_steps(formats) * (stochastic ? division_cycles(formats) : 1);
      if (bits > exact_bits) exact_bits = bits;
    end
  endfunction
  // Fraction bits of the word that is rounded: all that a product has where its code is not zero,
  // all that meet a random word.
  function automatic int fraction_bits(input logic [mx_pkg::NumFormats-1:0] formats,
                                       input bit stochastic);
    fraction_bits = stochastic ? RandomBits : exact_bits(formats, 1'b0);
  endfunction

  // --- the search for the least error (mx_mse_rule): an element that saturates at the smallest of
  // the three scales lies below twice the power of two above the largest number
  function automatic int gain_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    gain_bits = 2 * (largest(formats, mx_pkg::MantissaBits) + 2) + ProductBits;
  endfunction
  function automatic int gain_sum_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    // No carry from a byte to the next: both are small.
    gain_sum_bits = 2 * (largest(formats, mx_pkg::MantissaBits + mx_pkg::MaxShift) + 2)
                  + ProductBits + $clog2(largest(formats, mx_pkg::BlockLength));
  endfunction

  // --- the scale of a block under a tensor scale g: the product of ue4m3's significand and g's
  localparam int ScaleSignificandBits = 4;
  localparam int DivisorBits = ScaleSignificandBits + SignificandBits;
  // Of an element of the formats with a tensor scale.
  function automatic int factor_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    factor_bits = largest(formats & mx_pkg::TensorScaled, mx_pkg::SignificandBits);
  endfunction

  // --- the value of a code
  // Fraction bits of 4/3 of a significand: with a leading bit right above the point binary32's
  // fraction and the bit that decides the rounding; an even number, two bits repeat.
  localparam int ThirdBits = 24;
  function automatic int value_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    int product;
    value_bits = 1;
    if (has_mx(formats))
      value_bits = largest(formats & ~mx_pkg::TensorScaled, mx_pkg::SignificandBits) + 1 + ThirdBits;
    product = factor_bits(formats) + DivisorBits;
    if (has_tensor_scale(formats) && product > value_bits) value_bits = product;
  endfunction
endpackage
/* verilator lint_on UNUSEDPARAM */
