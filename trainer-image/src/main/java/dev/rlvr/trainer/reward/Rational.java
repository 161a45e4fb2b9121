package dev.rlvr.trainer.reward;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An exact number as people write it: {@code 1,234}, {@code $5}, {@code +3}, {@code 50%} (which is 50), {@code 1/2},
 * {@code 1.5e3}. Texts whose arithmetic could take long (over 1,000 characters) are no numbers.
 */
record Rational(BigDecimal numerator, BigDecimal denominator) {
    private static final int MAX_LENGTH = 1_000;

    private static final String MINUS = "\u2212-";
    private static final String EXPONENT = "(?:[eE][-+]?\\d{1,4}(?!\\d))?";
    private static final String UNSIGNED =
            "(?:(?:\\d{1,3}(?:,\\d{3})++(?!\\d)|\\d++)(?:\\.\\d++)?|\\.\\d++)" + EXPONENT;
    /** Sign before or after the currency, then a number or a fraction. */
    private static final String NUMBER = "(?<sign>[+" + MINUS + "]?)[$€£]?(?<inner>[+" + MINUS + "]?)(?<top>" + UNSIGNED
            + ")(?:\\s?/\\s?(?<bottom>" + UNSIGNED + "))?%?";

    private static final Pattern WHOLE = Pattern.compile(NUMBER);

    /** In running text a sign or a point after a digit, letter or bracket belongs to a calculation or a range. */
    private static final Pattern IN_TEXT = Pattern.compile("(?:(?<![\\p{L}\\d.)])|(?=\\d)(?<!\\d))" + NUMBER);

    /** The number that the whole text is, white space around it aside. */
    static Optional<Rational> parse(String text) {
        String bare = text.strip();
        if (bare.length() > MAX_LENGTH) {
            return Optional.empty();
        }
        Matcher matcher = WHOLE.matcher(bare);
        return matcher.matches() ? read(matcher) : Optional.empty();
    }

    /** The last number in a text. */
    static Optional<Rational> last(CharSequence text) {
        Matcher matcher = IN_TEXT.matcher(text);
        String last = "";
        while (matcher.find()) {
            last = matcher.group();
        }
        return parse(last);
    }

    boolean sameAs(Rational other) {
        BigDecimal left = numerator.multiply(other.denominator);
        BigDecimal right = other.numerator.multiply(denominator);
        return left.compareTo(right) == 0;
    }

    /** One text for all forms of the same number, to 50 digits. */
    String canonical() {
        return numerator
                .divide(denominator, new MathContext(50))
                .stripTrailingZeros()
                .toString();
    }

    private static Optional<Rational> read(Matcher matcher) {
        boolean negative = isMinus(matcher.group("sign")) ^ isMinus(matcher.group("inner"));
        BigDecimal top = decimal(matcher.group("top"));
        BigDecimal bottom = matcher.group("bottom") == null ? BigDecimal.ONE : decimal(matcher.group("bottom"));
        return bottom.signum() == 0
                ? Optional.empty()
                : Optional.of(new Rational(negative ? top.negate() : top, bottom));
    }

    private static boolean isMinus(String sign) {
        return !sign.isEmpty() && MINUS.contains(sign);
    }

    private static BigDecimal decimal(String digits) {
        return new BigDecimal(digits.replace(",", ""));
    }
}
