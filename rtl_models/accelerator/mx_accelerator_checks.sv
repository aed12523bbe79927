// The accelerator with its assertions and functional coverage, and all its faults: the top of the
// bench. Cycles in which an assertion failed are counted. Not synthesizable.
module mx_accelerator_checks #(
  parameter int ROWS  = 8,
  parameter int COLS  = 8,
  parameter int DEPTH = 16,  // blocks of a buffer
  // As mx_mac_array's.
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int DATAPATH      = mx_pkg::Fused,
  parameter bit FTZ           = 1'b0,
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz
) (
  /*verilator coverage_off*/  // of the checks themselves only the cover properties count
  input  logic                                     clk_i,
  input  logic                                     rst_ni,  // synchronous
  // AXI4-Lite: registers and tile memory.
  input  logic                                     s_axi_awvalid_i,
  output logic                                     s_axi_awready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] s_axi_awaddr_i,
  input  logic [2:0]                               s_axi_awprot_i,  // ignored
  input  logic                                     s_axi_wvalid_i,
  output logic                                     s_axi_wready_o,
  input  logic [31:0]                              s_axi_wdata_i,
  input  logic [3:0]                               s_axi_wstrb_i,
  output logic                                     s_axi_bvalid_o,
  input  logic                                     s_axi_bready_i,
  output logic [1:0]                               s_axi_bresp_o,
  input  logic                                     s_axi_arvalid_i,
  output logic                                     s_axi_arready_o,
  input  logic [mx_registers_pkg::AddressBits-1:0] s_axi_araddr_i,
  input  logic [2:0]                               s_axi_arprot_i,  // ignored
  output logic                                     s_axi_rvalid_o,
  input  logic                                     s_axi_rready_i,
  output logic [31:0]                              s_axi_rdata_o,
  output logic [1:0]                               s_axi_rresp_o,
  // AXI4-Stream: operands in, rows of results out.
  input  logic                                     s_axis_tvalid_i,
  output logic                                     s_axis_tready_o,
  input  logic [31:0]                              s_axis_tdata_i,
  input  logic                                     s_axis_tlast_i,
  output logic                                     m_axis_tvalid_o,
  input  logic                                     m_axis_tready_i,
  output logic [COLS*32-1:0]                       m_axis_tdata_o,
  output logic                                     m_axis_tlast_o,
  output logic                                     m_axis_tuser_o,  // a packet cut off ends, no row
  output logic                                     irq_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_registers_pkg::FaultBits-1:0]   fault_i,
  output logic [31:0]                              failures_o  // cycles in which one failed
);
  mx_accelerator #(
    .ROWS         (ROWS),
    .COLS         (COLS),
    .DEPTH        (DEPTH),
    .A_FORMATS    (A_FORMATS),
    .B_FORMATS    (B_FORMATS),
    .DATAPATH     (DATAPATH),
    .FTZ          (FTZ),
    .TERMS        (TERMS),
    .GROUP        (GROUP),
    .FRACTION_BITS(FRACTION_BITS),
    .E_ZERO       (E_ZERO),
    .ROUNDING     (ROUNDING),
    .FAULTS       (1'b1)
  ) u_top (.*);

  initial failures_o = '0;

  // --- what the bench must keep
  aw_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_awvalid_i && !s_axi_awready_o |=> s_axi_awvalid_i)
  else failures_o <= failures_o + 1;
  aw_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_awvalid_i && !s_axi_awready_o |=> !s_axi_awvalid_i || $stable(s_axi_awaddr_i))
  else failures_o <= failures_o + 1;
  w_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_wvalid_i && !s_axi_wready_o |=> s_axi_wvalid_i)
  else failures_o <= failures_o + 1;
  w_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_wvalid_i && !s_axi_wready_o
    |=> !s_axi_wvalid_i || $stable({s_axi_wdata_i, s_axi_wstrb_i}))
  else failures_o <= failures_o + 1;
  ar_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_arvalid_i && !s_axi_arready_o |=> s_axi_arvalid_i)
  else failures_o <= failures_o + 1;
  ar_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_arvalid_i && !s_axi_arready_o |=> !s_axi_arvalid_i || $stable(s_axi_araddr_i))
  else failures_o <= failures_o + 1;
  operand_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axis_tvalid_i && !s_axis_tready_o |=> s_axis_tvalid_i)
  else failures_o <= failures_o + 1;
  operand_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axis_tvalid_i && !s_axis_tready_o
    |=> !s_axis_tvalid_i || $stable({s_axis_tdata_i, s_axis_tlast_i}))
  else failures_o <= failures_o + 1;

  // --- what the accelerator must keep
  b_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_bvalid_o && !s_axi_bready_i |=> s_axi_bvalid_o)
  else failures_o <= failures_o + 1;
  b_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_bvalid_o && !s_axi_bready_i |=> !s_axi_bvalid_o || $stable(s_axi_bresp_o))
  else failures_o <= failures_o + 1;
  r_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_rvalid_o && !s_axi_rready_i |=> s_axi_rvalid_o)
  else failures_o <= failures_o + 1;
  r_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    s_axi_rvalid_o && !s_axi_rready_i
    |=> !s_axi_rvalid_o || $stable({s_axi_rdata_o, s_axi_rresp_o}))
  else failures_o <= failures_o + 1;
  result_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_axis_tvalid_o && !m_axis_tready_i |=> m_axis_tvalid_o)
  else failures_o <= failures_o + 1;
  result_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_axis_tvalid_o && !m_axis_tready_i
    |=> !m_axis_tvalid_o || $stable({m_axis_tdata_o, m_axis_tlast_o, m_axis_tuser_o}))
  else failures_o <= failures_o + 1;
  // A packet of results has ROWS rows, or ends with the mark of one that was cut off.
  logic [31:0] rows_of_packet_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) rows_of_packet_q <= '0;
    else if (m_axis_tvalid_o && m_axis_tready_i)
      rows_of_packet_q <= m_axis_tlast_o ? '0 : rows_of_packet_q + 1;
  end
  packet_whole_or_marked : assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_axis_tvalid_o |-> m_axis_tlast_o == (m_axis_tuser_o || rows_of_packet_q == ROWS - 1))
  else failures_o <= failures_o + 1;
  cut_inside_a_packet : assert property (@(posedge clk_i) disable iff (!rst_ni)
    m_axis_tvalid_o && m_axis_tuser_o |-> rows_of_packet_q inside {[1:ROWS-1]})
  else failures_o <= failures_o + 1;
  // The array's own rules, which the sequencer must keep: a beat stays, a tile begins with first.
  logic between_tiles_q;
  always_ff @(posedge clk_i) begin
    between_tiles_q <= !rst_ni || u_top.abort ||
                       (u_top.beat_valid && u_top.beat_ready ? u_top.beat_last : between_tiles_q);
  end
  beat_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_top.beat_valid && !u_top.beat_ready && !u_top.abort |=> u_top.beat_valid)
  else failures_o <= failures_o + 1;
  first_starts_a_tile : assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_top.beat_valid |-> u_top.beat_first == between_tiles_q)
  else failures_o <= failures_o + 1;
  // What is read for the array is not written at the same edge.
  no_write_under_a_job : assert property (@(posedge clk_i) disable iff (!rst_ni)
    u_top.in_use && (u_top.write_memory || u_top.stream_write)
    |-> (u_top.write_memory ? u_top.write_buffer : u_top.stream_buffer) != u_top.job_buffer)
  else failures_o <= failures_o + 1;

  // --- functional coverage
  logic [mx_registers_pkg::ErrorBits-1:0] code;
  assign code = u_top.u_registers.error_code_q;
  /*verilator coverage_on*/
  error_start_while_busy : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorStartWhileBusy);
  error_unknown_format : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorUnknownFormat);
  error_format_not_built : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorFormatNotBuilt);
  error_formats_do_not_meet : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorFormatsDoNotMeet);
  error_unknown_out_type : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorUnknownOutType);
  error_no_blocks : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorNoBlocks);
  error_too_many_blocks : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorTooManyBlocks);
  error_bad_last_elements : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorBadLastElements);
  error_short_block_inside : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorShortBlockInside);
  error_tile_already_open : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorTileAlreadyOpen);
  error_no_tile_open : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorNoTileOpen);
  error_preload_without_first : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorPreloadWithoutFirst);
  error_formats_changed : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorFormatsChanged);
  error_read_only : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorReadOnly);
  error_unmapped : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorUnmapped);
  error_partial_write : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorPartialWrite);
  error_buffer_in_use : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorBufferInUse);
  error_stream_address : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorStreamAddress);
  error_stream_too_long : cover property (
      @(posedge clk_i) code == mx_registers_pkg::ErrorStreamTooLong);
  job_follows_job     : cover property (@(posedge clk_i) u_top.start && u_top.tile_open
                                                         && !u_top.busy);
  fills_beside_a_job  : cover property (@(posedge clk_i) u_top.in_use && u_top.stream_write);
  stream_waits        : cover property (@(posedge clk_i) u_top.in_use && s_axis_tvalid_i
                                                         && !s_axis_tready_o);
  host_and_stream     : cover property (@(posedge clk_i) u_top.write_memory
                                                         && u_top.u_stream.writes);
  results_wait        : cover property (@(posedge clk_i) u_top.row_valid && !u_top.row_ready);
  aborted_with_a_beat : cover property (@(posedge clk_i) u_top.abort && u_top.beat_valid);
  aborted_with_rows   : cover property (@(posedge clk_i) u_top.abort && u_top.row_valid);
  packet_cut_off      : cover property (@(posedge clk_i) m_axis_tvalid_o && m_axis_tuser_o);
  cut_waits_for_a_row : cover property (@(posedge clk_i) u_top.u_results.cut_q && m_axis_tvalid_o
                                                         && !m_axis_tready_i);
  rows_wait_for_a_cut : cover property (@(posedge clk_i) u_top.u_results.cut_q && u_top.row_valid
                                                         && u_top.stream);
  short_block         : cover property (@(posedge clk_i) u_top.beat_valid && u_top.beat_last
                                                         && u_top.beat_lanes < 5);
  preloaded           : cover property (@(posedge clk_i) u_top.beat_valid && u_top.beat_first
                                                         && u_top.beat_preload);
  reset_while_busy    : cover property (@(posedge clk_i) !rst_ni && u_top.busy);
  if (DATAPATH == mx_pkg::Exact) begin : g_room_for_so_many
    error_tile_too_long : cover property (
        @(posedge clk_i) code == mx_registers_pkg::ErrorTileTooLong);
  end
  // One tile at a time is in the array: it keeps a block waiting only where one takes many cycles.
  if (DATAPATH == mx_pkg::Sequential) begin : g_many_steps
    array_stalls : cover property (@(posedge clk_i) u_top.beat_valid && !u_top.beat_ready);
  end
endmodule
