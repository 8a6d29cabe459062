<?php
// A university's side of course credit, in one file: it takes learners' forms and sends signed decisions. PHP 8.1 or newer.
//
//   SHARED_SECRET=… php -S 127.0.0.1:8091 university.php
//   SHARED_SECRET=… CALLBACK_URL=https://…/callback php university.php decide REQUEST_UUID approved
//   SHARED_SECRET=… php university.php sign < messages

declare(strict_types=1);

const MAX_AGE = 15 * 60; // seconds
const MAX_BODY = 64 * 1024; // bytes
const ATTEMPTS = 5;
const KEYS = [
    'course_completion_timestamp', 'course_num', 'course_org', 'course_run', 'enrollment_timestamp', 'final_grade',
    'request_uuid', 'timestamp', 'user_country', 'user_email', 'user_full_name', 'user_mailing_address', 'user_username',
];

// === Signing
/** All pairs but the signature, sorted by key, as key:value, with nothing between them. */
function signed_text(array $message): string
{
    unset($message['signature']);
    ksort($message, SORT_STRING); // by bytes, which is the order of code points
    $text = '';
    foreach ($message as $key => $value) {
        $text .= "$key:$value";
    }
    return $text;
}

function signature(array $message, string $secret): string
{
    return hash_hmac('sha256', signed_text($message), $secret);
}

function is_genuine(array $message, string $secret): bool
{
    return hash_equals(signature($message, $secret), $message['signature'] ?? '');
}

// === Receiving
/** The pairs of a form as they were sent. $_POST would do, but renames keys with dots, and makes lists of a[]. */
function pairs(string $body): array
{
    $pairs = [];
    foreach ($body === '' ? [] : explode('&', $body) as $part) {
        [$key, $value] = explode('=', $part, 2) + [1 => ''];
        $pairs[urldecode($key)] = urldecode($value);
    }
    return $pairs;
}

/** Why a form is refused, or null. The signature comes first: nothing else can be believed without it. */
function complaint(array $form): ?string
{
    if (!is_genuine($form, secret())) {
        return 'The signature is wrong.';
    }
    unset($form['signature']);
    ksort($form, SORT_STRING);
    if (array_keys($form) !== KEYS) {
        return 'These are not the keys of a credit request.';
    }
    if (abs(time() - (int) $form['timestamp']) > MAX_AGE) {
        return 'The form is too old. Please start again at your learning platform.';
    }
    return null;
}

function receive(): void
{
    $body = file_get_contents('php://input', length: MAX_BODY + 1);
    if (strlen($body) > MAX_BODY) {
        answer(413, 'The form is too long.');
        return;
    }
    $form = pairs($body);
    $problem = complaint($form);
    if ($problem === null) {
        remember($form);
        answer(200, "Thank you, {$form['user_full_name']}. We will decide on {$form['request_uuid']}.");
        return;
    }
    if (!is_genuine($form, secret())) {
        // While you develop. In production, log it instead: it holds personal data.
        $problem .= "\nThis is the text that was signed here:\n" . signed_text($form);
    }
    answer(403, $problem);
}

function answer(int $status, string $text): void
{
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    $escaped = htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
    echo "<!doctype html><meta charset=utf-8><title>University</title><pre>$escaped</pre>";
}

/** Your work: keep the request under its request_uuid. The same uuid comes again with fresh values. */
function remember(array $form): void
{
    error_log("received {$form['request_uuid']}");
}

// === Telling the decision
/** Tell the decision until the service has it; return an exit status. */
function decide(string $request_uuid, string $status): int
{
    $wait = 0;
    for ($attempt = 0; $attempt < ATTEMPTS; $attempt++) {
        sleep($attempt ? max($wait, 2 ** ($attempt - 1)) : 0);
        // Signed anew each time: the service takes only recent messages.
        $message = ['request_uuid' => $request_uuid, 'status' => $status, 'timestamp' => (string) time()];
        $message['signature'] = signature($message, secret());
        [$code, $body, $wait] = post((string) getenv('CALLBACK_URL'), $message);
        echo "$code $body\n";
        if ($code === 200) {
            return 0;
        }
        if ($code !== 0 && $code !== 429 && $code < 500) {
            break; // repeating it would not help
        }
    }
    return 1;
}

/** Return status, body and how many seconds to wait before the next attempt; status 0 if nobody answers. */
function post(string $url, array $message): array
{
    $options = ['method' => 'POST', 'header' => 'Content-Type: application/x-www-form-urlencoded',
        'content' => http_build_query($message), 'timeout' => 10, 'ignore_errors' => true, 'follow_location' => 0];
    $body = @file_get_contents($url, context: stream_context_create(['http' => $options]));
    if ($body === false) {
        return [0, 'no answer', 0];
    }
    preg_match('/ (\d{3})/', $http_response_header[0], $status);
    preg_match('/^Retry-After: (\d+)/mi', implode("\n", $http_response_header), $retry_after);
    return [(int) $status[1], $body, (int) ($retry_after[1] ?? 0)];
}

// === Starting
function secret(): string
{
    return (string) getenv('SHARED_SECRET');
}

function main(array $arguments): int
{
    if ($arguments === ['sign']) {
        while (($line = fgets(STDIN)) !== false) {
            echo signature(pairs(rtrim($line, "\n")), secret()), "\n";
        }
        return 0;
    }
    if (trim(secret()) === '') {
        fwrite(STDERR, "Set SHARED_SECRET.\n");
        return 2;
    }
    if (count($arguments) === 3 && $arguments[0] === 'decide' && in_array($arguments[2], ['approved', 'rejected'], true)) {
        return decide($arguments[1], $arguments[2]);
    }
    fwrite(STDERR, "Arguments: decide REQUEST_UUID approved|rejected, or sign. Serve with php -S.\n");
    return 2;
}

if (PHP_SAPI !== 'cli') {
    trim(secret()) === '' ? answer(500, 'Set SHARED_SECRET.') : receive();
} else {
    exit(main(array_slice($argv, 1)));
}
