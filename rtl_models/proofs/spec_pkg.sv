// What the proofs compare the RTL with: ARITHMETIC §1, written from its printed table. Nothing here is taken from
// mx_pkg or mx_width_pkg; a format is the row of the array's ports.
package spec_pkg;
  localparam int E2m1 = 0, E3m2 = 1, E2m3 = 2, E4m3 = 3, E5m2 = 4, Int8 = 5, Nvfp4 = 6;

  // A magnitude is a multiple of 2^-16, the least one of e5m2; 57344 has 32 bits then.
  localparam int Magnitude = 33;

  // (-1)^S · 2^(E-bias) · 1.M for E > 0, 2^(1-bias) · 0.M for E = 0: the magnitude.
  function automatic logic [Magnitude-1:0] number(input logic [4:0] e, input logic [2:0] m, input int mantissa_bits,
                                                  input int bias);
    if (e == 5'd0) number = Magnitude'(m) << (16 + 1 - bias - mantissa_bits);
    else number = ((Magnitude'(1) << mantissa_bits) + Magnitude'(m)) << (16 + e - bias - mantissa_bits);
  endfunction

  function automatic logic [Magnitude-1:0] magnitude(input logic [2:0] format, input logic [7:0] code);
    case (format)
      3'd0, 3'd6: magnitude = number({3'b0, code[2:1]}, {2'b0, code[0]}, 1, 1);
      3'd1:       magnitude = number({2'b0, code[4:2]}, {1'b0, code[1:0]}, 2, 3);
      3'd2:       magnitude = number({3'b0, code[4:3]}, code[2:0], 3, 1);
      3'd3:       magnitude = number({1'b0, code[6:3]}, code[2:0], 3, 7);
      3'd4:       magnitude = number(code[6:2], {1'b0, code[1:0]}, 2, 15);
      default:    magnitude = (code[7] ? Magnitude'(9'd256) - Magnitude'(code) : Magnitude'(code)) << (16 - 6);
    endcase
  endfunction

  function automatic logic negative(input logic [2:0] format, input logic [7:0] code);
    case (format)
      3'd0, 3'd6: negative = code[3];
      3'd1, 3'd2: negative = code[5];
      default:    negative = code[7];
    endcase
  endfunction

  function automatic logic nan(input logic [2:0] format, input logic [7:0] code);
    case (format)
      3'd3:    nan = code == 8'h7f || code == 8'hff;
      3'd4:    nan = (code >= 8'h7d && code <= 8'h7f) || code >= 8'hfd;
      default: nan = 1'b0;
    endcase
  endfunction

  function automatic logic inf(input logic [2:0] format, input logic [7:0] code);
    inf = format == 3'd4 && (code == 8'h7c || code == 8'hfc);
  endfunction

  // The printed columns: log2 of min subnormal, in whose multiples a format counts; log2 of min normal; max finite.
  function automatic int unit_log2(input logic [2:0] format);
    case (format)
      3'd0, 3'd6: unit_log2 = -1;
      3'd1:       unit_log2 = -4;
      3'd2:       unit_log2 = -3;
      3'd3:       unit_log2 = -9;
      3'd4:       unit_log2 = -16;
      default:    unit_log2 = -6;
    endcase
  endfunction
  function automatic int normal_log2(input logic [2:0] format);  // int8 has the exponent 0 alone
    case (format)
      3'd0, 3'd2, 3'd5, 3'd6: normal_log2 = 0;
      3'd1:                   normal_log2 = -2;
      3'd3:                   normal_log2 = -6;
      default:                normal_log2 = -14;
    endcase
  endfunction
  function automatic logic [Magnitude-1:0] max_finite(input logic [2:0] format);
    case (format)
      3'd0, 3'd6: max_finite = Magnitude'(6) << 16;
      3'd1:       max_finite = Magnitude'(28) << 16;
      3'd2:       max_finite = Magnitude'(15) << 15;
      3'd3:       max_finite = Magnitude'(448) << 16;
      3'd4:       max_finite = Magnitude'(57344) << 16;
      default:    max_finite = Magnitude'(127) << 10;
    endcase
  endfunction
  // The code of max finite.
  function automatic logic [7:0] max_code(input logic [2:0] format);
    case (format)
      3'd0, 3'd6: max_code = 8'h07;
      3'd1, 3'd2: max_code = 8'h1f;
      3'd3:       max_code = 8'h7e;
      3'd4:       max_code = 8'h7b;
      default:    max_code = 8'h7f;
    endcase
  endfunction

  // The exponent of an element, max(floor(log2 |v|), emin), by comparisons with powers of two; 0 of int8 (§4).
  function automatic int exponent(input logic [2:0] format, input logic [7:0] code);
    int e;
    logic [Magnitude-1:0] v;
    v        = magnitude(format, code);
    exponent = normal_log2(format);
    for (e = -14; e <= 15; e = e + 1)
      if (format != 3'd5 && e > normal_log2(format) && v >= (Magnitude'(1) << (16 + e))) exponent = e;
  endfunction
endpackage
