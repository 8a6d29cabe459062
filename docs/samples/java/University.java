import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A university's side of course credit, in one file: it takes learners' forms and sends signed decisions. Java 17 or
 * newer, nothing else.
 *
 * <pre>
 * SHARED_SECRET=… java University.java serve 8091
 * SHARED_SECRET=… CALLBACK_URL=https://…/callback java University.java decide REQUEST_UUID approved
 * SHARED_SECRET=… java University.java sign &lt; messages
 * </pre>
 */
public class University {
    static final String SECRET = System.getenv().getOrDefault("SHARED_SECRET", "");
    static final long MAX_AGE = 15 * 60; // seconds
    static final int MAX_BODY = 64 * 1024; // bytes
    static final int ATTEMPTS = 5;
    static final List<String> KEYS = List.of(
            "course_completion_timestamp", "course_num", "course_org", "course_run", "enrollment_timestamp",
            "final_grade", "request_uuid", "timestamp", "user_country", "user_email", "user_full_name",
            "user_mailing_address", "user_username");

    // === Signing
    /** By bytes, which is the order of code points; text alone compares UTF-16 units. */
    static final Comparator<String> BY_CODE_POINT = (one, other) ->
            Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));

    /** All pairs but the signature, sorted by key, as key:value, with nothing between them. */
    static String signedText(Map<String, String> message) {
        var pairs = new TreeMap<String, String>(BY_CODE_POINT);
        pairs.putAll(message);
        pairs.remove("signature");
        return pairs.entrySet().stream()
                .map(pair -> pair.getKey() + ":" + pair.getValue())
                .collect(Collectors.joining());
    }

    static String signature(Map<String, String> message, String secret) {
        byte[] key = secret.getBytes(StandardCharsets.UTF_8);
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            // Java takes no empty key. HMAC fills keys up with zeros, so a zero is the same.
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(signedText(message).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static boolean isGenuine(Map<String, String> message, String secret) {
        byte[] claimed = message.getOrDefault("signature", "").getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(signature(message, secret).getBytes(StandardCharsets.UTF_8), claimed);
    }

    // === Receiving
    static Map<String, String> pairs(String body) {
        var pairs = new HashMap<String, String>();
        for (String part : body.isEmpty() ? new String[0] : body.split("&")) {
            String[] pair = part.split("=", 2);
            pairs.put(decoded(pair[0]), pair.length == 2 ? decoded(pair[1]) : "");
        }
        return pairs;
    }

    static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    /** Why a form is refused, or null. The signature comes first: nothing else can be believed without it. */
    static String complaint(Map<String, String> form) {
        if (!isGenuine(form, SECRET)) {
            return "The signature is wrong.";
        }
        var keys = new TreeMap<>(form);
        keys.remove("signature");
        if (!List.copyOf(keys.keySet()).equals(KEYS)) {
            return "These are not the keys of a credit request.";
        }
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(form.get("timestamp"))) > MAX_AGE) {
            return "The form is too old. Please start again at your learning platform.";
        }
        return null;
    }

    static void receive(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            answer(exchange, 413, "The form is too long.");
            return;
        }
        Map<String, String> form;
        try {
            form = pairs(new String(body, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException malformed) {
            answer(exchange, 400, "The form cannot be read.");
            return;
        }
        String problem = complaint(form);
        if (problem == null) {
            remember(form);
            String name = form.get("user_full_name");
            answer(exchange, 200, "Thank you, " + name + ". We will decide on " + form.get("request_uuid") + ".");
            return;
        }
        if (!isGenuine(form, SECRET)) {
            // While you develop. In production, log it instead: it holds personal data.
            problem += "\nThis is the text that was signed here:\n" + signedText(form);
        }
        answer(exchange, 403, problem);
    }

    static void answer(HttpExchange exchange, int status, String text) throws IOException {
        String escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
        String page = "<!doctype html><meta charset=utf-8><title>University</title><pre>" + escaped + "</pre>";
        byte[] body = page.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** Your work: keep the request under its request_uuid. The same uuid comes again with fresh values. */
    static void remember(Map<String, String> form) {
        System.out.println("received " + form.get("request_uuid"));
    }

    // === Telling the decision
    record Answer(int code, String body, long retryAfter) {}

    /** Tell the decision until the service has it; return an exit status. */
    static int decide(String requestUuid, String status) throws InterruptedException {
        long wait = 0;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Thread.sleep(attempt == 0 ? 0 : 1000 * Math.max(wait, 1L << (attempt - 1)));
            // Signed anew each time: the service takes only recent messages.
            String now = String.valueOf(Instant.now().getEpochSecond());
            var message = new HashMap<>(Map.of("request_uuid", requestUuid, "status", status, "timestamp", now));
            message.put("signature", signature(message, SECRET));
            Answer answer = post(URI.create(System.getenv("CALLBACK_URL")), message);
            System.out.println(answer.code() + " " + answer.body());
            if (answer.code() == 200) {
                return 0;
            }
            if (answer.code() != 0 && answer.code() != 429 && answer.code() < 500) {
                break; // repeating it would not help
            }
            wait = answer.retryAfter();
        }
        return 1;
    }

    /** Return status, body and how many seconds to wait before the next attempt; status 0 if nobody answers. */
    static Answer post(URI url, Map<String, String> message) throws InterruptedException {
        String body = message.entrySet().stream()
                .map(pair -> pair.getKey() + "=" + URLEncoder.encode(pair.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        var request = HttpRequest.newBuilder(url)
                .version(HttpClient.Version.HTTP_1_1)
                .timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            String retryAfter = response.headers().firstValue("Retry-After").orElse("");
            long seconds = retryAfter.matches("[0-9]{1,9}") ? Long.parseLong(retryAfter) : 0;
            return new Answer(response.statusCode(), response.body(), seconds);
        } catch (IOException error) {
            return new Answer(0, "no answer: " + error, 0);
        }
    }

    // === Starting
    public static void main(String[] arguments) throws Exception {
        String command = String.join(" ", arguments);
        if (command.equals("sign")) {
            var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines();
            lines.forEach(line -> System.out.println(signature(pairs(line), SECRET)));
        } else if (SECRET.isBlank()) {
            System.err.println("Set SHARED_SECRET.");
            System.exit(2);
        } else if (command.matches("serve [0-9]+")) {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[1]));
            HttpServer server = HttpServer.create(address, 0);
            server.createContext("/", University::receive);
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
        } else if (command.matches("decide \\S+ (approved|rejected)")) {
            System.exit(decide(arguments[1], arguments[2]));
        } else {
            System.err.println("Arguments: serve PORT, decide REQUEST_UUID approved|rejected, or sign.");
            System.exit(2);
        }
    }
}
