package dev.rlvr.operator;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.deser.BeanDeserializerModifier;
import com.fasterxml.jackson.databind.deser.std.StdDelegatingDeserializer;
import com.fasterxml.jackson.databind.util.StdConverter;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * Reads lists and maps as unmodifiable ones that take no more than what is in them, and lets all empty ones be the same. The client's classes
 * have a map for unknown fields in each object and a list for each repeated field, which nearly all are empty; the maps that
 * are not have a few labels: together they were two fifths of what caches hold. The labels and the owner of a job's objects are the same for all, as
 * are containers.
 * Who wants to change what was read makes a builder of it, which copies.
 */
final class SmallCollections extends BeanDeserializerModifier {
    private static final KnownValues KNOWN = new KnownValues();
    private static final String CLIENT_TYPES = "io.fabric8.kubernetes.api.model.";

    @Override
    public JsonDeserializer<?> modifyDeserializer(
            DeserializationConfig config, BeanDescription description, JsonDeserializer<?> deserializer) {
        Class<?> type = description.getBeanClass();
        if (!type.getName().startsWith(CLIENT_TYPES)) {
            return deserializer;
        }
        List<Field> fields = Arrays.stream(type.getDeclaredFields())
                .filter(field -> !Modifier.isStatic(field.getModifiers()))
                .filter(field -> field.getType() == List.class || field.getType() == Map.class)
                .filter(Field::trySetAccessible)
                .toList();
        return fields.isEmpty()
                ? deserializer
                : new StdDelegatingDeserializer<>(
                        new StdConverter<>() {
                            @Override
                            public Object convert(Object read) {
                                return withSmall(fields, read);
                            }
                        },
                        description.getType(),
                        deserializer);
    }

    private static Object withSmall(List<Field> fields, Object object) {
        try {
            for (Field field : fields) {
                field.set(object, small(field.get(object)));
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
        return object;
    }

    /** The same, where it can be made smaller. Without streams: a list of jobs asks a hundred times for each. */
    private static Object small(Object value) {
        return switch (value) {
            case List<?> list when list.isEmpty() -> List.of();
            case List<?> list
            when isWhole(list) -> isRepeated(list) ? KNOWN.same(List.copyOf(list)) : List.copyOf(list);
            case Map<?, ?> map when map.isEmpty() -> Map.of();
            case Map<?, ?> map when all(map.values(), String.class::isInstance) -> KNOWN.same(FlatMap.copyOf(map));
            case Map<?, ?> map when isWhole(map.values()) -> FlatMap.copyOf(map);
            case null, default -> value;
        };
    }

    /** All objects of a job have the same owner, and what is read of containers is the same for most pods. */
    private static boolean isRepeated(List<?> list) {
        return list.getFirst() instanceof OwnerReference || list.getFirst() instanceof Container;
    }

    private static boolean isWhole(Collection<?> values) {
        return all(values, Objects::nonNull);
    }

    private static boolean all(Collection<?> values, Predicate<Object> is) {
        for (Object value : values) {
            if (!is.test(value)) {
                return false;
            }
        }
        return true;
    }
}
