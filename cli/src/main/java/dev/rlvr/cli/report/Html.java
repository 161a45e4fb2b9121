package dev.rlvr.cli.report;

import java.util.Base64;

/** Text and pictures as they may stand in a page. */
final class Html {
    private Html() {}

    /** Any text as element content or attribute value. */
    static String text(String raw) {
        StringBuilder safe = new StringBuilder(raw.length() + 16);
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                default -> safe.append(c);
            }
        }
        return safe.toString();
    }

    /** A PNG inside the page itself. */
    static String picture(byte[] png, String description) {
        return "<img alt=\"" + text(description) + "\" src=\"data:image/png;base64,"
                + Base64.getEncoder().encodeToString(png) + "\">";
    }
}
