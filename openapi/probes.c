/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.livenessProbe and spec.readinessProbe. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(exec_action_type, "ExecAction", "A command run in the guest by its agent.",
    STRINGS("command", "Program and arguments, run without a shell."));

TYPE(http_header_type, "HTTPHeader", "One header of a request.",
    STRING("name", "Name of the header.", REQUIRED),
    STRING("value", "Its value.", REQUIRED));

TYPE(http_get_type, "HTTPGetAction", "A request that must be answered with 200 to 399.",
    STRING("host", "Host to ask; the pod's address when absent."),
    LIST("httpHeaders", http_header_type, "Headers of the request."),
    STRING("path", "Path to ask for."),
    INT_OR_STRING("port", "Port, by number or name.", REQUIRED),
    STRING("scheme", "HTTP when absent.", ONE_OF("HTTP", "HTTPS")));

TYPE(tcp_socket_type, "TCPSocketAction", "A connection that must be accepted.",
    STRING("host", "Host to connect to; the pod's address when absent."),
    INT_OR_STRING("port", "Port, by number or name.", REQUIRED));

TYPE(probe_type, "Probe", "A question asked of the guest again and again; exactly one way to ask.",
    OBJECT("exec", exec_action_type, "Run a command in the guest."),
    INT32("failureThreshold", "Failures in a row that count; 3 when absent."),
    PRESENCE("guestAgentPing", "Ask the guest agent for a sign of life."),
    OBJECT("httpGet", http_get_type, "Send a request."),
    INT32("initialDelaySeconds", "Seconds before the first question."),
    INT32("periodSeconds", "Seconds between questions; 10 when absent."),
    INT32("successThreshold", "Successes in a row that count; 1 when absent."),
    OBJECT("tcpSocket", tcp_socket_type, "Open a connection."),
    INT32("timeoutSeconds", "Seconds to wait for an answer; 1 when absent."));
// clang-format on
