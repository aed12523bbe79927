// AXI4-Lite slave: the five channels on one side, single writes and reads on the other. It holds
// one write and one read; every output of the bus is a function of registers.
module mx_axi_lite (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  input  logic                                     awvalid_i,
  output logic                                     awready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] awaddr_i,
  input  logic                                     wvalid_i,
  output logic                                     wready_o,
  input  logic [31:0]                              wdata_i,
  input  logic [3:0]                               wstrb_i,
  output logic                                     bvalid_o,
  input  logic                                     bready_i,
  output logic [1:0]                               bresp_o,
  input  logic                                     arvalid_i,
  output logic                                     arready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] araddr_i,
  output logic                                     rvalid_o,
  input  logic                                     rready_i,
  output logic [31:0]                              rdata_o,
  output logic [1:0]                               rresp_o,
  // A write: for one cycle, and its response comes back in it.
  output logic                                     write_o,
  output logic [mx_registers_pkg::AddressBits-1:0] write_addr_o,
  output logic [31:0]                              write_data_o,
  output logic                                     write_whole_o,  // all four strobes
  input  logic [1:0]                               write_resp_i,
  // A read: for one cycle, with its response; its data comes in the next cycle.
  output logic                                     read_o,
  output logic [mx_registers_pkg::AddressBits-1:0] read_addr_o,
  input  logic [1:0]                               read_resp_i,
  input  logic [31:0]                              read_data_i,
  input  logic [mx_registers_pkg::FaultBits-1:0]   fault_i
);
  localparam logic [1:0] IDLE = 2'd0, FETCH = 2'd1, SELECT = 2'd2, ANSWER = 2'd3;

  logic                                     aw_valid_q, w_valid_q, b_valid_q;
  logic [mx_registers_pkg::AddressBits-1:0] aw_addr_q, ar_addr_q;
  logic [31:0]                              w_data_q, r_data_q;
  logic [3:0]                               w_strb_q;
  logic [1:0]                               b_resp_q, r_resp_q, read_state_q;

  // --- writes: address and data come in any order; the answer before must have left
  assign awready_o     = !aw_valid_q;
  assign wready_o      = !w_valid_q;
  assign write_o       = aw_valid_q && w_valid_q && !b_valid_q;
  assign write_addr_o  = aw_addr_q;
  assign write_data_o  = w_data_q;
  assign write_whole_o = w_strb_q == '1;
  assign bresp_o       = b_resp_q;

  logic waited_q;  // an answer was not taken in the last cycle
  assign bvalid_o = b_valid_q && !(fault_i == mx_registers_pkg::FaultBvalidWithdrawn && waited_q);
  always_ff @(posedge clk_i) begin
    waited_q <= bvalid_o && !bready_i;
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
      b_valid_q  <= 1'b0;
    end else begin
      if (awvalid_i && awready_o) aw_valid_q <= 1'b1;
      else if (write_o) aw_valid_q <= 1'b0;
      if (wvalid_i && wready_o) w_valid_q <= 1'b1;
      else if (write_o) w_valid_q <= 1'b0;
      if (write_o) b_valid_q <= 1'b1;
      else if (bready_i && bvalid_o) b_valid_q <= 1'b0;
    end
    if (awvalid_i && awready_o) aw_addr_q <= awaddr_i;
    if (wvalid_i && wready_o) begin
      w_data_q <= wdata_i;
      w_strb_q <= wstrb_i;
    end
    if (write_o) b_resp_q <= write_resp_i;
  end

  // --- reads
  assign arready_o   = read_state_q == IDLE;
  assign read_o      = read_state_q == FETCH;
  assign read_addr_o = ar_addr_q;
  assign rvalid_o    = read_state_q == ANSWER;
  assign rdata_o     = r_data_q;
  assign rresp_o     = r_resp_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_state_q <= IDLE;
    end else begin
      case (read_state_q)
        IDLE:    if (arvalid_i) read_state_q <= FETCH;
        FETCH:   read_state_q <= SELECT;
        SELECT:  read_state_q <= ANSWER;
        default: if (rready_i) read_state_q <= IDLE;
      endcase
    end
    if (arvalid_i && arready_o) ar_addr_q <= araddr_i;
    if (read_o) r_resp_q <= read_resp_i;
    // What could not be read shows as zeros.
    if (read_state_q == SELECT) r_data_q <= r_resp_q == '0 ? read_data_i : '0;
  end
endmodule
