// SPDX-License-Identifier: Apache-2.0
/* DHCPv4 messages; see dhcp.h. */
#include "launcher/dhcp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    BOOTREQUEST = 1,
    BOOTREPLY = 2,
    HEADER_BYTES = 240, /* fixed part and magic cookie */
    MESSAGE_MIN = 300,  /* BOOTP clients expect as much */
    FLAG_BROADCAST = 0x8000,
};

enum message_type {
    DISCOVER = 1,
    OFFER = 2,
    REQUEST = 3,
    DECLINE = 4,
    ACK = 5,
    NAK = 6,
    RELEASE = 7,
    INFORM = 8,
};

enum option_code {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOSTNAME = 12,
    OPTION_DOMAIN = 15,
    OPTION_MTU = 26,
    OPTION_BROADCAST = 28,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE_SECONDS = 51,
    OPTION_MESSAGE_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_CLIENT_ID = 61,
    OPTION_SEARCH = 119,
    OPTION_CLASSLESS_ROUTES = 121,
    OPTION_END = 255,
};

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

/* Places in the fixed part (RFC 2131, figure 1). */
enum {
    AT_OP = 0,
    AT_HTYPE = 1,
    AT_HLEN = 2,
    AT_XID = 4,
    AT_FLAGS = 10,
    AT_CIADDR = 12,
    AT_YIADDR = 16,
    AT_SIADDR = 20,
    AT_GIADDR = 24,
    AT_CHADDR = 28,
    AT_COOKIE = 236
};

/* What matters of a request. */
struct request {
    const uint8_t *fixed;
    enum message_type type;
    uint32_t ciaddr, requested, server; /* 0: not given */
    const uint8_t *client_id;
    size_t client_id_len;
};

static uint32_t address_at(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

bool mac_parse(const char *text, uint8_t out[6])
{
    unsigned b[6];
    char rest;

    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
                        &rest) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)b[i];
    return true;
}

/* ---- reading ---- */

static void read_option(struct request *q, uint8_t code, const uint8_t *value, size_t len)
{
    if (code == OPTION_MESSAGE_TYPE && len == 1)
        q->type = (enum message_type)value[0];
    else if (code == OPTION_REQUESTED_ADDRESS && len == 4)
        q->requested = address_at(value);
    else if (code == OPTION_SERVER && len == 4)
        q->server = address_at(value);
    else if (code == OPTION_CLIENT_ID && len >= 2) {
        q->client_id = value;
        q->client_id_len = len;
    }
}

/* False when an option reaches past the end. */
static bool read_options(struct request *q, const uint8_t *p, size_t len)
{
    size_t at = 0;

    while (at < len && p[at] != OPTION_END) {
        if (p[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (at + 2 > len || at + 2 + p[at + 1] > len)
            return false;
        read_option(q, p[at], p + at + 2, p[at + 1]);
        at += 2 + (size_t)p[at + 1];
    }
    return true;
}

static bool read_request(struct request *q, const uint8_t *p, size_t len, const uint8_t mac[6])
{
    *q = (struct request){ .fixed = p };
    if (len < HEADER_BYTES || p[AT_OP] != BOOTREQUEST || p[AT_HTYPE] != 1 || p[AT_HLEN] != 6)
        return false;
    if (memcmp(p + AT_COOKIE, cookie, sizeof(cookie)) != 0 || memcmp(p + AT_CHADDR, mac, 6) != 0)
        return false;
    if (address_at(p + AT_GIADDR) != 0)
        return false; /* through a relay: there is none on this bridge */
    q->ciaddr = address_at(p + AT_CIADDR);
    return read_options(q, p + HEADER_BYTES, len - HEADER_BYTES);
}

/* ---- writing ---- */

struct writer {
    uint8_t *out;
    size_t len;
};

/* An option that does not fit is left out; the end mark always fits. */
static void put(struct writer *w, uint8_t code, const void *value, size_t len)
{
    if (len == 0 || len > 255 || w->len + 2 + len + 1 > DHCP_PACKET_MAX)
        return;
    w->out[w->len++] = code;
    w->out[w->len++] = (uint8_t)len;
    memcpy(w->out + w->len, value, len);
    w->len += len;
}

static void put_address(struct writer *w, uint8_t code, uint32_t address)
{
    if (address)
        put(w, code, &address, sizeof(address));
}

/* "a.b c" as DNS names one behind the other, without compression (RFC 3397). */
static size_t encode_search(const char *search, uint8_t *out, size_t cap)
{
    size_t len = 0;

    while (*search) {
        size_t domain = strcspn(search, " ");
        size_t start = len;
        bool fits = domain > 0;
        for (size_t at = 0; at < domain && fits;) {
            size_t label = strcspn(search + at, ". ");
            fits = label > 0 && label < 64 && len + label + 2 <= cap;
            if (fits) {
                out[len++] = (uint8_t)label;
                memcpy(out + len, search + at, label);
                len += label;
            }
            at += label + 1;
        }
        if (fits)
            out[len++] = 0;
        else
            len = start;
        search += domain;
        search += strspn(search, " ");
    }
    return len;
}

/* Longer than one option: split, to be joined by the client (RFC 3396). */
static void put_search(struct writer *w, const char *search)
{
    uint8_t encoded[DHCP_SEARCH_MAX];
    size_t len = encode_search(search, encoded, sizeof(encoded));

    for (size_t at = 0; at < len; at += 255)
        put(w, OPTION_SEARCH, encoded + at, len - at < 255 ? len - at : 255);
}

/* Classless routes replace the router option for clients that know them: the gateway itself, then
 * all. */
static void put_routes(struct writer *w, const struct dhcp_lease *lease)
{
    uint8_t routes[5] = { 0 };

    if (!lease->gateway)
        return;
    put_address(w, OPTION_ROUTER, lease->gateway);
    memcpy(routes + 1, &lease->gateway, 4);
    put(w, OPTION_CLASSLESS_ROUTES, routes, sizeof(routes));
}

static void put_network(struct writer *w, const struct dhcp_lease *lease)
{
    uint16_t mtu = htons(lease->mtu);
    size_t domain = strcspn(lease->search, " ");

    put_address(w, OPTION_MASK, lease->mask);
    put_address(w, OPTION_BROADCAST, lease->address | ~lease->mask);
    put_routes(w, lease);
    put(w, OPTION_DNS, lease->dns, lease->dns_len * sizeof(lease->dns[0]));
    if (lease->mtu)
        put(w, OPTION_MTU, &mtu, sizeof(mtu));
    put(w, OPTION_HOSTNAME, lease->hostname, strlen(lease->hostname));
    put(w, OPTION_DOMAIN, lease->search, domain);
    put_search(w, lease->search);
}

static size_t compose(const struct dhcp_lease *lease, const struct request *q,
                      enum message_type type, uint8_t *out)
{
    struct writer w = { out, HEADER_BYTES };
    uint8_t type_byte = (uint8_t)type;
    uint32_t seconds = htonl(DHCP_LEASE_SECONDS);
    bool gives_address = type != NAK && q->type != INFORM;

    memset(out, 0, DHCP_PACKET_MAX);
    out[AT_OP] = BOOTREPLY;
    out[AT_HTYPE] = 1;
    out[AT_HLEN] = 6;
    memcpy(out + AT_XID, q->fixed + AT_XID, 4);
    memcpy(out + AT_FLAGS, q->fixed + AT_FLAGS, 2);
    memcpy(out + AT_CHADDR, q->fixed + AT_CHADDR, 16);
    memcpy(out + AT_COOKIE, cookie, sizeof(cookie));
    if (type == ACK)
        memcpy(out + AT_CIADDR, &q->ciaddr, 4);
    if (gives_address)
        memcpy(out + AT_YIADDR, &lease->address, 4);
    if (type == NAK)
        out[AT_FLAGS] |= FLAG_BROADCAST >> 8;

    put(&w, OPTION_MESSAGE_TYPE, &type_byte, 1);
    put_address(&w, OPTION_SERVER, lease->server);
    if (q->client_id)
        put(&w, OPTION_CLIENT_ID, q->client_id, q->client_id_len); /* RFC 6842 */
    if (gives_address)
        put(&w, OPTION_LEASE_SECONDS, &seconds, sizeof(seconds));
    if (type != NAK)
        put_network(&w, lease);
    out[w.len++] = OPTION_END;
    return w.len < MESSAGE_MIN ? MESSAGE_MIN : w.len;
}

/* ---- deciding ---- */

/* The answer to a REQUEST (RFC 2131, section 4.3.2), or 0 for silence. */
static int decide_request(const struct dhcp_lease *lease, const struct request *q)
{
    if (q->server && q->server != lease->server)
        return 0; /* SELECTING, and another server was chosen */
    uint32_t wanted = q->requested ? q->requested : q->ciaddr;
    if (!wanted)
        return 0;
    return wanted == lease->address ? ACK : NAK;
}

static int decide(const struct dhcp_lease *lease, const struct request *q)
{
    switch (q->type) {
    case DISCOVER:
        return OFFER;
    case REQUEST:
        return decide_request(lease, q);
    case INFORM:
        return q->ciaddr ? ACK : 0;
    case OFFER:
    case DECLINE:
    case ACK:
    case NAK:
    case RELEASE:
        break;
    }
    return 0;
}

size_t dhcp_answer(const struct dhcp_lease *lease, const void *in, size_t len, uint8_t *out,
                   uint32_t *ret_to)
{
    struct request q;

    if (!read_request(&q, in, len, lease->mac))
        return 0;
    int type = decide(lease, &q);
    if (type == 0)
        return 0;
    /* Without raw sockets an address that the client does not have yet cannot be reached. */
    *ret_to = type != NAK && q.ciaddr ? q.ciaddr : htonl(INADDR_BROADCAST);
    return compose(lease, &q, (enum message_type)type, out);
}
