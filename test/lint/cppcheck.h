/* Macros as cppcheck can read them: loops as plain loops, clean-up attributes as nothing. */
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)) != 0; i++)
#define json_object_foreach(o, k, v) for (k = first_key(o); (v = json_object_get(o, k)) != 0; k = next_key(o, k))
#define json_object_foreach_safe(o, n, k, v) json_object_foreach(o, k, v)
#define HASH_ITER(hh, h, e, t) for (e = h, t = 0; e; e = t)
#define HASH_FIND_STR(h, k, e) e = find(h, k)
#define HASH_ADD_STR(h, k, e) h = e
#define HASH_DEL(h, e) h = del(h, e)
#define HASH_COUNT(h) count(h)
#define json_auto_t json_t
