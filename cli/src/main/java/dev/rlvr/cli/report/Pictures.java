package dev.rlvr.cli.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;

/** Draws charts as PNG, two pixels for each point so that they stay sharp on any screen. */
final class Pictures {
    private static final int SCALE = 2;
    private static final int HEADER = 64;

    private Pictures() {}

    /** Writes {@code overview.png} and one picture for each chart; returns the content of each by name. */
    static Map<String, byte[]> write(Path folder, String title, String subtitle, Map<String, XYChart> charts)
            throws IOException {
        Files.createDirectories(folder);
        Map<String, byte[]> pictures = new LinkedHashMap<>();
        pictures.put("overview", overview(title, subtitle, List.copyOf(charts.values())));
        for (Map.Entry<String, XYChart> chart : charts.entrySet()) {
            pictures.put(chart.getKey(), single(chart.getValue()));
        }
        for (Map.Entry<String, byte[]> picture : pictures.entrySet()) {
            Files.write(folder.resolve(picture.getKey() + ".png"), picture.getValue());
        }
        return pictures;
    }

    private static byte[] single(XYChart chart) throws IOException {
        return draw(Charts.WIDTH, Charts.HEIGHT, g -> chart.paint(g, Charts.WIDTH, Charts.HEIGHT));
    }

    private static byte[] overview(String title, String subtitle, List<XYChart> charts) throws IOException {
        int rows = (charts.size() + 1) / 2;
        return draw(2 * Charts.WIDTH, HEADER + rows * Charts.HEIGHT, g -> {
            g.setColor(new Color(0x111827));
            g.setFont(Charts.font(Font.BOLD, 20));
            g.drawString(title, 24, 34);
            g.setColor(new Color(0x6b7280));
            g.setFont(Charts.font(Font.PLAIN, 13));
            g.drawString(subtitle, 24, 56);
            for (int i = 0; i < charts.size(); i++) {
                Graphics2D panel = (Graphics2D)
                        g.create(i % 2 * Charts.WIDTH, HEADER + i / 2 * Charts.HEIGHT, Charts.WIDTH, Charts.HEIGHT);
                charts.get(i).paint(panel, Charts.WIDTH, Charts.HEIGHT);
                panel.dispose();
            }
        });
    }

    @FunctionalInterface
    private interface Drawing {
        void on(Graphics2D g);
    }

    private static byte[] draw(int width, int height, Drawing drawing) throws IOException {
        BufferedImage image = new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, SCALE * width, SCALE * height);
        g.scale(SCALE, SCALE);
        drawing.on(g);
        g.dispose();
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        return png.toByteArray();
    }
}
