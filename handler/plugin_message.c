/* SPDX-License-Identifier: Apache-2.0 */
/* Packing and unpacking with protobuf-c, whose types stay in this file. */
#include "handler/plugin_message.h"

#include <stdio.h>

#include "base/must.h"
#include "base/scope.h"
#include "handler/deviceplugin.pb-c.h"

enum { CONTAINERS_MAX = 64, ID_MAX = 32 };

static void pack(const ProtobufCMessage *m, struct buf *out)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    scoped(free) uint8_t *bytes = must_malloc(len + 1);

    (void)protobuf_c_message_pack(m, bytes);
    buf_add(out, bytes, len);
}

void plugin_pack_list(const struct plugin_device *d, size_t count, bool is_healthy, struct buf *out)
{
    V1beta1__ListAndWatchResponse list = V1BETA1__LIST_AND_WATCH_RESPONSE__INIT;
    scoped(free) V1beta1__Device *devices = must_calloc(count + 1, sizeof(*devices));
    scoped(free) V1beta1__Device **pointers = must_calloc(count + 1, sizeof(*pointers));
    scoped(free) char *ids = must_calloc(count + 1, ID_MAX);

    for (size_t i = 0; i < count; i++) {
        char *id = ids + i * ID_MAX;

        (void)snprintf(id, ID_MAX, "%s%zu", d->name, i);
        v1beta1__device__init(&devices[i]);
        devices[i].id = id;
        devices[i].health = (char *)(is_healthy ? "Healthy" : "Unhealthy");
        pointers[i] = &devices[i];
    }
    list.n_devices = count;
    list.devices = pointers;
    pack(&list.base, out);
}

bool plugin_pack_allocation(const struct plugin_device *d, const void *request, size_t len,
                            const char *permissions, struct buf *out)
{
    V1beta1__AllocateRequest *asked = v1beta1__allocate_request__unpack(NULL, len, request);
    size_t containers = asked ? asked->n_container_requests : 0;
    bool is_valid = asked && containers <= CONTAINERS_MAX;

    if (asked)
        v1beta1__allocate_request__free_unpacked(asked, NULL);
    if (!is_valid)
        return false;

    V1beta1__DeviceSpec spec = V1BETA1__DEVICE_SPEC__INIT;
    V1beta1__DeviceSpec *specs[] = { &spec };
    V1beta1__ContainerAllocateResponse each = V1BETA1__CONTAINER_ALLOCATE_RESPONSE__INIT;
    V1beta1__ContainerAllocateResponse *all[CONTAINERS_MAX];
    V1beta1__AllocateResponse answer = V1BETA1__ALLOCATE_RESPONSE__INIT;

    spec.container_path = (char *)d->path;
    spec.host_path = (char *)d->path;
    spec.permissions = (char *)permissions;
    each.n_devices = countof(specs);
    each.devices = specs;
    /* Every container gets the same: whichever virtual ids, the node has one device. */
    for (size_t i = 0; i < containers; i++)
        all[i] = &each;
    answer.n_container_responses = containers;
    answer.container_responses = all;
    pack(&answer.base, out);
    return true;
}

void plugin_pack_register(const struct plugin_device *d, const char *endpoint, struct buf *out)
{
    V1beta1__RegisterRequest request = V1BETA1__REGISTER_REQUEST__INIT;
    V1beta1__DevicePluginOptions options = V1BETA1__DEVICE_PLUGIN_OPTIONS__INIT;

    request.version = (char *)"v1beta1";
    request.endpoint = (char *)endpoint;
    request.resource_name = (char *)d->resource;
    request.options = &options;
    pack(&request.base, out);
}
