package dev.rlvr.cli.report;

import dev.rlvr.cli.report.RunData.Evaluation;
import dev.rlvr.cli.report.RunData.Series;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Select;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The curves of a run, by the name of their file. */
final class Charts {
    static final int WIDTH = 640;
    static final int HEIGHT = 360;

    private static final Color INK = new Color(0x1f2937);
    private static final Color SOFT = new Color(0x6b7280);
    private static final Color GRID = new Color(0xe5e7eb);
    private static final Color BLUE = new Color(0x2563eb);
    private static final Color AMBER = new Color(0xd97706);
    private static final Color GREEN = new Color(0x059669);
    private static final Color PALE_GREEN = new Color(0xa7f3d0);
    private static final Color VIOLET = new Color(0x7c3aed);
    private static final Color ROSE = new Color(0xe11d48);
    private static final BasicStroke LINE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
    private static final BasicStroke BAND = new BasicStroke(8, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND);
    private static final BasicStroke DASHES =
            new BasicStroke(1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {5, 4}, 0);

    private final RunData run;

    private Charts(RunData run) {
        this.run = run;
    }

    static Map<String, XYChart> of(RunData run) {
        Charts charts = new Charts(run);
        Map<String, XYChart> all = new LinkedHashMap<>();
        all.put("reward", charts.reward());
        all.put("entropy", charts.entropy());
        all.put("kept", charts.kept());
        all.put("length", charts.length());
        return all;
    }

    private XYChart reward() {
        XYChart chart = chart("Reward and held-out accuracy", "%.1f");
        line(chart, "mean reward", run.series("reward"), BLUE, LINE);
        Map<String, List<Evaluation>> byName = new LinkedHashMap<>();
        for (Evaluation e : run.evaluations()) {
            byName.computeIfAbsent(e.name(), _ -> new ArrayList<>()).add(e);
        }
        Color[] colours = {GREEN, AMBER, VIOLET, ROSE};
        Marker[] markers = {SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP
        };
        int n = 0;
        for (Map.Entry<String, List<Evaluation>> entry : byName.entrySet()) {
            List<Evaluation> measured = entry.getValue();
            Series points = new Series(
                    measured.stream().map(e -> (double) e.step()).toList(),
                    measured.stream().map(Evaluation::averageAtK).toList());
            XYSeries series = line(
                    chart,
                    entry.getKey() + " (avg@" + measured.getFirst().samples() + ")",
                    points,
                    colours[n % colours.length],
                    DASHES);
            series.setMarker(markers[n % markers.length]);
            series.setMarkerColor(colours[n % colours.length]);
            n++;
        }
        return fromZero(chart, 1);
    }

    private XYChart entropy() {
        XYChart chart = chart("Entropy in nats", "%.2f");
        line(chart, "mean of all tokens", run.series("entropy"), AMBER, LINE);
        Series threshold = run.series("entropy_threshold");
        boolean keepsAll = forking().select() == Select.All || forking().select() == Select.Random;
        if (!keepsAll && !threshold.x().isEmpty()) {
            boolean lowest = forking().select() == Select.LowestEntropy;
            line(chart, lowest ? "highest kept" : "lowest kept (threshold)", threshold, ROSE, DASHES);
        }
        return fromZero(chart, 0);
    }

    private XYChart kept() {
        XYChart chart = chart("Share of tokens kept for the update", "%.2f");
        Series kept = run.series("kept_token_fraction");
        double asked = askedFraction();
        if (asked > 0 && kept.x().size() > 1) {
            Series flat = new Series(List.of(kept.x().getFirst(), kept.x().getLast()), List.of(asked, asked));
            line(chart, "asked for: " + plain(asked), flat, PALE_GREEN, BAND);
        }
        line(chart, "kept", kept, GREEN, LINE);
        return fromZero(chart, Math.max(2 * asked, 0.1));
    }

    private XYChart length() {
        XYChart chart = chart("Mean answer length in tokens", "%.0f");
        line(chart, "answers", run.series("completions/mean_length"), VIOLET, LINE);
        return fromZero(chart, 0);
    }

    private ForkingTokens forking() {
        return run.job().getSpec().algorithm().forkingTokens();
    }

    /** The share asked for; 0 where a threshold decides. */
    private double askedFraction() {
        ForkingTokens forking = forking();
        if (forking.select() == Select.All) {
            return 1;
        }
        if (forking.entropyThreshold() != null) {
            return 0;
        }
        return forking.fraction() == null ? ForkingTokens.DEFAULT_FRACTION : forking.fraction();
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString(Math.round(value)) : Double.toString(value);
    }

    private static XYSeries line(XYChart chart, String name, Series series, Color colour, BasicStroke stroke) {
        if (series.x().isEmpty()) {
            return chart.addSeries(name, List.of(0.0), List.of(0.0));
        }
        XYSeries line = chart.addSeries(name, series.x(), series.y());
        line.setLineColor(colour);
        line.setLineStyle(stroke);
        line.setMarker(SeriesMarkers.NONE);
        return line;
    }

    /** A vertical axis from 0 to a round number a little above everything, at least {@code atLeast}. */
    private static XYChart fromZero(XYChart chart, double atLeast) {
        double highest = atLeast;
        double first = Double.MAX_VALUE;
        double last = 1;
        for (XYSeries series : chart.getSeriesCollection()) {
            highest = Math.max(highest, series.getYMax());
            first = Math.min(first, series.getXMin());
            last = Math.max(last, series.getXMax());
        }
        chart.getStyler()
                .setYAxisMin(0.0)
                .setYAxisMax(highest == atLeast && atLeast > 0 ? atLeast * 1.02 : roundUp(highest));
        chart.getStyler().setXAxisMin(Math.min(first, 0)).setXAxisMax(last);
        labelSomeSteps(chart, last);
        return chart;
    }

    /** Few steps would all get a label, and the labels would touch. */
    private static void labelSomeSteps(XYChart chart, double last) {
        if (last > 12 && last <= 60) {
            chart.getStyler().setXAxisTickLabelsFormattingFunction(step -> step % 5 == 0 ? plain(step) : "");
        }
    }

    static double roundUp(double value) {
        if (value <= 0) {
            return 1;
        }
        double unit = Math.pow(10, Math.floor(Math.log10(value)));
        TreeSet<Double> rounds = new TreeSet<>(List.of(1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0));
        return rounds.higher(value / unit * 1.02) * unit;
    }

    private static XYChart chart(String title, String format) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .theme(ChartTheme.XChart)
                .title(title)
                .xAxisTitle("step")
                .build();
        chart.getStyler()
                .setChartBackgroundColor(Color.WHITE)
                .setPlotBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false)
                .setChartFontColor(INK)
                .setChartTitleFont(font(Font.BOLD, 15))
                .setChartTitleBoxVisible(false)
                .setChartPadding(14)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE)
                .setLegendFont(font(Font.PLAIN, 12))
                .setMarkerSize(8)
                .setAntiAlias(true);
        chart.getStyler()
                .setAxisTitleFont(font(Font.PLAIN, 12))
                .setAxisTickLabelsFont(font(Font.PLAIN, 12))
                .setAxisTickLabelsColor(SOFT)
                .setAxisTicksLineVisible(false)
                .setAxisTicksMarksVisible(false)
                .setPlotGridVerticalLinesVisible(false)
                .setPlotGridLinesColor(GRID)
                .setPlotGridLinesStroke(new BasicStroke(1))
                .setXAxisDecimalPattern("0")
                .setYAxisTickMarkSpacingHint(48)
                .setYAxisTickLabelsFormattingFunction(value -> String.format(Locale.ROOT, format, value));
        return chart;
    }

    static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }
}
