// Widths of the datapath: what a module asks of the formats (a set of mx_pkg's rows, bit f for row f)
// and of the datapath that it is built for. Functions of constants.
package mx_width_pkg;
  // Of a number below `count`; at least one bit.
  function automatic int bits_of_index(input int count);
    bits_of_index = count > 2 ? $clog2(count) : 1;
  endfunction

  // --- sets of formats
  // The largest entry of a column, and the least as a signed byte.
  function automatic int largest(input logic [mx_pkg::NumFormats-1:0] formats,
                                 input logic [mx_pkg::NumFormats*8-1:0] entries);
    int i, entry;
    largest = 0;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) begin
      entry = {24'b0, entries[i*8 +: 8]};
      if (formats[i] && entry > largest) largest = entry;
    end
  endfunction
  function automatic int least_signed(input logic [mx_pkg::NumFormats-1:0] formats,
                                      input logic [mx_pkg::NumFormats*8-1:0] entries);
    int i, entry;
    least_signed = 127;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) begin
      entry = {{24{entries[i*8+7]}}, entries[i*8 +: 8]};
      if (formats[i] && entry < least_signed) least_signed = entry;
    end
  endfunction
  // Lanes of a beat: the longest block.
  function automatic int block_lanes(input logic [mx_pkg::NumFormats-1:0] formats);
    block_lanes = largest(formats, mx_pkg::BlockLength);
  endfunction
  function automatic int lane_count_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    lane_count_bits = $clog2(block_lanes(formats) + 1);
  endfunction
  // Widths of a decoded element: of its significand, of its place, of its magnitude in units.
  function automatic int significand_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    significand_bits = largest(formats, mx_pkg::SignificandBits);
  endfunction
  function automatic int shift_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    shift_bits = largest(formats, mx_pkg::MaxShift) == 0 ? 1 : $clog2(largest(formats, mx_pkg::MaxShift) + 1);
  endfunction
  function automatic int units_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    // No carry from a byte to the next: both are small.
    units_bits = largest(formats, mx_pkg::SignificandBits + mx_pkg::MaxShift);
  endfunction
  // A decoded element's number: {significand, shift}.
  function automatic int number_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    number_bits = significand_bits(formats) + shift_bits(formats);
  endfunction
  // Of some decoded elements each: {inf of all, negative of all, nonzero of all, numbers}, so that
  // a flag of all lanes is one vector.
  function automatic int element_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    element_bits = 3 + number_bits(formats);
  endfunction
  // Widths of a product: of its significand, of its place, of its magnitude in units; and of the
  // sum of some, signed.
  function automatic int product_significand_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                                  input logic [mx_pkg::NumFormats-1:0] b_formats);
    product_significand_bits = significand_bits(a_formats) + significand_bits(b_formats);
  endfunction
  function automatic int product_shift_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                            input logic [mx_pkg::NumFormats-1:0] b_formats);
    int most;
    most = largest(a_formats, mx_pkg::MaxShift) + largest(b_formats, mx_pkg::MaxShift);
    product_shift_bits = most == 0 ? 1 : $clog2(most + 1);
  endfunction
  function automatic int product_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                      input logic [mx_pkg::NumFormats-1:0] b_formats);
    product_bits = units_bits(a_formats) + units_bits(b_formats);
  endfunction
  function automatic int sum_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                  input logic [mx_pkg::NumFormats-1:0] b_formats, input int lanes);
    sum_bits = product_bits(a_formats, b_formats) + $clog2(lanes) + 1;
  endfunction

  // --- scales: e8m0, or ue4m3, whose numbers are those of the elements of some formats
  function automatic bit any(input logic [mx_pkg::NumFormats-1:0] formats,
                             input logic [mx_pkg::NumFormats*8-1:0] entries);
    any = largest(formats, entries) != 0;
  endfunction
  function automatic bit all(input logic [mx_pkg::NumFormats-1:0] formats,
                             input logic [mx_pkg::NumFormats*8-1:0] entries);
    int i;
    all = 1'b1;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1)
      if (formats[i] && entries[i*8 +: 8] == '0) all = 1'b0;
  endfunction
  function automatic logic [mx_pkg::NumFormats-1:0] with_ue4m3(input logic [mx_pkg::NumFormats-1:0] formats);
    int i;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) with_ue4m3[i] = formats[i] && mx_pkg::Ue4m3Scale[i*8];
  endfunction
  // Width of the product of the significands of two scales; of e8m0 it is 1.
  function automatic int scale_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                    input logic [mx_pkg::NumFormats-1:0] b_formats);
    scale_bits = any(a_formats & b_formats, mx_pkg::Ue4m3Scale) ? 2 * significand_bits(mx_pkg::Ue4m3Numbers) : 1;
  endfunction
  // Width of the magnitude of a sum times that product.
  function automatic int term_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                   input logic [mx_pkg::NumFormats-1:0] b_formats, input int lanes);
    int scaled;
    term_bits = sum_bits(a_formats, b_formats, lanes) - 1;
    scaled = ue4m3_sum_bits(a_formats, b_formats, lanes) - 1 + scale_bits(a_formats, b_formats);
    if (any(a_formats & b_formats, mx_pkg::Ue4m3Scale) && scaled > term_bits) term_bits = scaled;
  endfunction
  // Width of a sum that scales of ue4m3 multiply, signed.
  function automatic int ue4m3_sum_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                        input logic [mx_pkg::NumFormats-1:0] b_formats, input int lanes);
    ue4m3_sum_bits = sum_bits(with_ue4m3(a_formats), with_ue4m3(b_formats), lanes);
  endfunction

  // The same of one product's significand.
  function automatic int ue4m3_product_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                            input logic [mx_pkg::NumFormats-1:0] b_formats);
    ue4m3_product_bits =
        product_significand_bits(with_ue4m3(a_formats), with_ue4m3(b_formats));
  endfunction

  // Lanes that an element of the array takes in a cycle, and the cycles of a full block.
  function automatic int step_lanes(input int datapath, input int lanes, input int terms);
    step_lanes = datapath == mx_pkg::Sequential ? 1
               : datapath == mx_pkg::Aligned && terms < lanes ? terms : lanes;
  endfunction
  // Blocks, of the shortest block length, whose products meet the accumulator in one step.
  function automatic int step_blocks(input logic [mx_pkg::NumFormats-1:0] formats, input int datapath,
                                     input int lanes, input int terms);
    int i, least;
    least = lanes;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1)
      if (formats[i] && {24'b0, mx_pkg::BlockLength[i*8 +: 8]} < least)
        least = {24'b0, mx_pkg::BlockLength[i*8 +: 8]};
    step_blocks = datapath == mx_pkg::Aligned && terms > least ? terms / least : 1;
  endfunction
  function automatic int step_block_bits(input logic [mx_pkg::NumFormats-1:0] formats,
                                         input int datapath, input int lanes, input int terms);
    step_block_bits = bits_of_index(step_blocks(formats, datapath, lanes, terms));
  endfunction
  // A term of an aligned step: width of its magnitude, and of the part of it above the binary point
  // of its exponent.
  function automatic int aligned_term_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                           input logic [mx_pkg::NumFormats-1:0] b_formats,
                                           input int group);
    int scaled;
    if (group > 1) aligned_term_bits = term_bits(a_formats, b_formats, group);
    else begin
      aligned_term_bits = product_significand_bits(a_formats, b_formats);
      scaled = scale_bits(a_formats, b_formats)
             + ue4m3_product_bits(a_formats, b_formats);
      if (any(a_formats & b_formats, mx_pkg::Ue4m3Scale) && scaled > aligned_term_bits)
        aligned_term_bits = scaled;
    end
  endfunction
  function automatic int integer_bits(input logic [mx_pkg::NumFormats-1:0] formats);
    int i, bits;
    integer_bits = 0;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) begin
      bits = {24'b0, mx_pkg::SignificandBits[i*8 +: 8]} + {24'b0, mx_pkg::MaxShift[i*8 +: 8]}
           + {{24{mx_pkg::UnitLog2[i*8+7]}}, mx_pkg::UnitLog2[i*8 +: 8]};
      if (formats[i] && bits > integer_bits) integer_bits = bits;
    end
  endfunction
  function automatic int aligned_integer_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                              input logic [mx_pkg::NumFormats-1:0] b_formats,
                                              input int group);
    aligned_integer_bits = group == 1 ? 3  // 1.M · 1.M, and -128 · -128 / 2^12 of int8
                         : integer_bits(a_formats) + integer_bits(b_formats) + $clog2(group);
    if (any(a_formats & b_formats, mx_pkg::Ue4m3Scale)) aligned_integer_bits = aligned_integer_bits + 2;
  endfunction

  // --- the datapath `exact`: a sum of at most 2^16 blocks as a fixed-point number
  localparam int ExactGrowth = 16;
  function automatic int exact_span(input logic [mx_pkg::NumFormats-1:0] formats);
    int i, span;
    exact_span = 0;
    for (i = 0; i < mx_pkg::NumFormats; i = i + 1) begin
      span = {24'b0, mx_pkg::SignificandBits[i*8 +: 8]} + {24'b0, mx_pkg::MaxShift[i*8 +: 8]}
           + {{24{mx_pkg::UnitLog2[i*8+7]}}, mx_pkg::UnitLog2[i*8 +: 8]}
           - least_signed(formats, mx_pkg::UnitLog2);
      if (formats[i] && span > exact_span) exact_span = span;
    end
  endfunction
  // Its lowest bit's exponent, and its width in two's complement.
  function automatic int exact_lowest(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                      input logic [mx_pkg::NumFormats-1:0] b_formats);
    exact_lowest = least_signed(a_formats, mx_pkg::UnitLog2)
                 + least_signed(b_formats, mx_pkg::UnitLog2)
                 + (all(a_formats, mx_pkg::Ue4m3Scale)
                        ? 2 * least_signed(mx_pkg::Ue4m3Numbers, mx_pkg::UnitLog2) : -254);
  endfunction
  function automatic int exact_bits(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                    input logic [mx_pkg::NumFormats-1:0] b_formats,
                                    input int lanes);
    exact_bits = exact_span(a_formats) + exact_span(b_formats) + $clog2(lanes) + ExactGrowth + 1
               + (all(a_formats, mx_pkg::Ue4m3Scale) ? 2 * units_bits(mx_pkg::Ue4m3Numbers) : 508);
  endfunction

  // --- what an element of the array holds
  // Of `exact`: {nan, inf, inf, nonzero, start, sum}; else a binary32.
  function automatic int state_bits(input int datapath,
                                    input logic [mx_pkg::NumFormats-1:0] a_formats,
                                    input logic [mx_pkg::NumFormats-1:0] b_formats,
                                    input int lanes);
    state_bits = datapath == mx_pkg::Exact ? 36 + exact_bits(a_formats, b_formats, lanes) : 32;
  endfunction

  // --- what can be built
  // Each format of A has one of B with scales of its kind, and blocks are as long.
  function automatic bit formats_meet(input logic [mx_pkg::NumFormats-1:0] a_formats,
                                      input logic [mx_pkg::NumFormats-1:0] b_formats);
    logic [mx_pkg::NumFormats-1:0] a_ue4m3, b_ue4m3;
    a_ue4m3 = with_ue4m3(a_formats);
    b_ue4m3 = with_ue4m3(b_formats);
    formats_meet = a_formats != '0 && block_lanes(a_formats) == block_lanes(b_formats)
                   && (a_ue4m3 == '0 || b_ue4m3 != '0)
                   && (a_ue4m3 == a_formats || b_ue4m3 != b_formats);
  endfunction
endpackage
